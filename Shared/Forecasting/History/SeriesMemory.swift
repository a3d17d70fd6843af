#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Memory of one series, or of many that were put in together.
/// @unchecked Sendable: only a series that is its one owner, or is being put in, writes to it.
final class SeriesMemory: @unchecked Sendable {
    static let alignment = MemoryLayout<OutcomeLanes>.alignment
    let base: UnsafeMutableRawPointer

    private static let hugePage = 1 << 21

    init(bytes: Int) {
        let isLarge = bytes >= 4 * Self.hugePage
        base = .allocate(byteCount: bytes, alignment: isLarge ? Self.hugePage : Self.alignment)
        #if os(Linux)
            // What is read all over misses the translation cache far less in huge pages. A wish, which may be refused.
            if isLarge { _ = madvise(base, bytes, MADV_HUGEPAGE) }
        #endif
    }

    deinit { base.deallocate() }
}
