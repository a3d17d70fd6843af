/// A history by plain pointers, for as long as one `History.read` lasts: many cores can read it side by side without
/// counting references.
struct HistoryReader {
    private let entries: UnsafeBufferPointer<HistoryEntry>
    private let series: UnsafeBufferPointer<GroupSeries>
    private let flows: UnsafeBufferPointer<FlowSeries>

    fileprivate init(
        entries: UnsafeBufferPointer<HistoryEntry>, series: UnsafeBufferPointer<GroupSeries>,
        flows: UnsafeBufferPointer<FlowSeries>
    ) {
        self.entries = entries
        self.series = series
        self.flows = flows
    }

    /// How many groups and flows history has met; their numbers begin at 0.
    var groupCount: Int { series.count }
    var flowCount: Int { flows.count }

    @inline(__always)
    func entry(_ slot: Int32) -> UnsafePointer<HistoryEntry> { Self.place(slot, in: entries) }

    /// The finished allocations of a group that history has met.
    @inline(__always)
    func series(_ group: Int32) -> UnsafePointer<GroupSeries> { Self.place(group, in: series) }

    /// How much goes on in a person or project that history has met.
    @inline(__always)
    func flow(_ number: Int32) -> UnsafePointer<FlowSeries> { Self.place(number, in: flows) }

    @inline(__always)
    private static func place<Element>(_ index: Int32, in table: UnsafeBufferPointer<Element>) -> UnsafePointer<Element>
    {
        table.baseAddress.unsafelyUnwrapped + Int(index)
    }
}

extension History {
    /// Lends the history for reading; the reader must not leave `body`.
    func read<R>(_ body: (HistoryReader) throws -> R) rethrows -> R {
        try entries.withUnsafeBufferPointer { entries in
            try series.withUnsafeBufferPointer { series in
                try flows.withUnsafeBufferPointer { flows in
                    try body(HistoryReader(entries: entries, series: series, flows: flows))
                }
            }
        }
    }
}
