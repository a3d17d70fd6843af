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
    func prefetch(_ group: Int32) { Self.prefetch(group, of: series) }

    /// Asks for the memory of a group's flow.
    @inline(__always)
    func prefetch(flow group: Int32) { Self.prefetch(group, of: flows) }

    @inline(__always)
    private static func prefetch<Element>(_ group: Int32, of table: UnsafeBufferPointer<Element>) {
        guard group >= 0 else { return }
        let place = UnsafeRawPointer(table.baseAddress.unsafelyUnwrapped + Int(group))
        erm_prefetch(place)
        erm_prefetch(place + MemoryLayout<Element>.size)
    }

    /// Asks for the memory in which `flow` will begin to search.
    func prefetch(flow group: Int32, at moment: Double, _ hints: borrowing SearchHints) {
        guard group >= 0 else { return }
        func ask(_ search: FlowSearch) {
            guard let moments = search.moments, moments.mustBeSearched(for: search.moment) else { return }
            erm_prefetch(moments.times + hints.guess(search.key, moments, search.moment))
        }
        let searches = searches(ofFlow: group, at: moment)
        ask(searches.decided)
        ask(searches.done)
        ask(searches.decidedEarlier)
    }

    /// How much was going on in a group at `moment`.
    func flow(_ group: Int32, at moment: Double, _ hints: borrowing SearchHints) -> FlowView {
        guard group >= 0 else { return FlowView(decided: 0, done: 0, lately: 0, first: nil) }
        func count(_ search: FlowSearch) -> Int {
            search.moments.map { hints.search(search.key, $0, before: search.moment) } ?? 0
        }
        let searches = searches(ofFlow: group, at: moment)
        let decided = count(searches.decided)
        return FlowView(
            decided: decided, done: count(searches.done), lately: decided - count(searches.decidedEarlier),
            first: decided > 0 ? searches.decided.moments?.first : nil)
    }

    private typealias FlowSearch = (key: Int32, moments: SortedMoments?, moment: Double)

    @inline(__always)
    private func searches(
        ofFlow group: Int32, at moment: Double
    ) -> (decided: FlowSearch, done: FlowSearch, decidedEarlier: FlowSearch) {
        let decisions = flows[Int(group)].decisions
        // Keys below those of groups.
        return (
            (-3 * group - 1, decisions, moment), (-3 * group - 2, flows[Int(group)].completions, moment),
            (-3 * group - 3, decisions, moment - 7 * 86_400)
        )
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
