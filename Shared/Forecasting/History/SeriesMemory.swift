/// Memory of one series, or of many that were put in together.
/// @unchecked Sendable: only a series that is its one owner, or is being put in, writes to it.
final class SeriesMemory: @unchecked Sendable {
    private static let alignment = SeriesRows.Row.size
    let base: UnsafeMutableRawPointer

    init(bytes: Int) {
        let isLarge = bytes >= HugePages.leastBytes
        base = .allocate(byteCount: bytes, alignment: isLarge ? HugePages.bytes : Self.alignment)
        HugePages.ask(for: UnsafeMutableRawBufferPointer(start: base, count: bytes))
    }

    deinit { base.deallocate() }
}
