/// A history by plain pointers, for as long as one `History.read` lasts: many cores can read it side by side without
/// counting references.
struct HistoryReader {
    private let series: UnsafeBufferPointer<GroupSeries>
    private let flows: UnsafeBufferPointer<FlowSeries>
    /// All finished allocations.
    let everything: GroupSeries.Rows
    /// Per slot, what models aim at.
    let targets: UnsafeBufferPointer<OutcomeTarget>

    fileprivate init(
        series: UnsafeBufferPointer<GroupSeries>, flows: UnsafeBufferPointer<FlowSeries>, everything: GroupSeries.Rows,
        targets: UnsafeBufferPointer<OutcomeTarget>
    ) {
        self.series = series
        self.flows = flows
        self.everything = everything
        self.targets = targets
    }

    /// All finished allocations of a group that history has met.
    @inline(__always)
    func rows(of group: Int32) -> GroupSeries.Rows { series[Int(group)].rows }

    /// How much was going on in a group at `moment`.
    func flow(_ group: Int32, at moment: Double) -> FlowView {
        guard group >= 0 else { return FlowView(decided: 0, done: 0, lately: 0, first: nil) }
        let rows = flows[Int(group)].rows
        let decided = rows.decided.lowerBound(of: moment)
        return FlowView(
            decided: decided, done: rows.done.lowerBound(of: moment),
            lately: decided - rows.decided.lowerBound(of: moment - 7 * 86_400),
            first: decided > 0 ? rows.decided[0] : nil)
    }
}

/// How much is going on in a group as of a moment.
struct FlowView {
    /// Allocations decided before the moment.
    var decided: Int
    /// Of which finished before it; those decided after they were finished count too.
    var done: Int
    /// Decided in the week before it.
    var lately: Int
    /// The first decision, seconds since 1970.
    var first: Double?
}

/// What a finished allocation is to be compared with on the scales of the models; `nan` where there is nothing.
struct OutcomeTarget: BitwiseCopyable {
    var logRatio = Double.nan
    var logHours = Double.nan
}

extension History {
    /// Lends the history for reading; the reader must not leave `body`.
    func read<R>(_ body: (HistoryReader) throws -> R) rethrows -> R {
        try series.withUnsafeBufferPointer { series in
            try flows.withUnsafeBufferPointer { flows in
                try targets.withUnsafeBufferPointer { targets in
                    try withExtendedLifetime(everything) {
                        try body(
                            HistoryReader(series: series, flows: flows, everything: everything.rows, targets: targets))
                    }
                }
            }
        }
    }
}
