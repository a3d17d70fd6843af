import CKernels

/// A history by plain pointers, for as long as one `History.read` lasts: many cores can read it side by side without
/// counting references.
struct HistoryReader {
    private let series: UnsafeBufferPointer<GroupSeries>
    private let flows: UnsafeBufferPointer<FlowSeries>

    fileprivate init(series: UnsafeBufferPointer<GroupSeries>, flows: UnsafeBufferPointer<FlowSeries>) {
        self.series = series
        self.flows = flows
    }

    /// The finished allocations of a group that history has met.
    @inline(__always)
    func series(_ group: Int32) -> GroupSeries { series[Int(group)] }

    /// Asks for the memory of what `series` returns.
    @inline(__always)
    func prefetch(_ group: Int32) {
        guard group >= 0 else { return }
        let place = UnsafeRawPointer(series.baseAddress.unsafelyUnwrapped + Int(group))
        erm_prefetch(place)
        erm_prefetch(place + MemoryLayout<GroupSeries>.size)
    }

    /// How much was going on in a group at `moment`.
    func flow(_ group: Int32, at moment: Double, _ hints: borrowing SearchHints) -> FlowView {
        guard group >= 0 else { return FlowView(decided: 0, done: 0, lately: 0, first: nil) }
        let rows = flows[Int(group)].rows
        func count(_ times: UnsafeBufferPointer<Double>, before moment: Double, _ key: Int32) -> Int {
            guard let first = times.first, let base = times.baseAddress else { return 0 }
            let moments = SortedMoments(times: base, count: times.count, first: first, last: times[times.count - 1])
            return hints.search(key, moments, before: moment)
        }
        // Keys below those of groups.
        let decided = count(rows.decided, before: moment, -3 * group - 1)
        return FlowView(
            decided: decided, done: count(rows.done, before: moment, -3 * group - 2),
            lately: decided - count(rows.decided, before: moment - 7 * 86_400, -3 * group - 3),
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

extension History {
    /// Lends the history for reading; the reader must not leave `body`.
    func read<R>(_ body: (HistoryReader) throws -> R) rethrows -> R {
        try series.withUnsafeBufferPointer { series in
            try flows.withUnsafeBufferPointer { flows in
                try body(HistoryReader(series: series, flows: flows))
            }
        }
    }
}
