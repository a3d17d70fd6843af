#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Memory that is read all over misses the processor's translation cache far less in huge pages. Only a wish: where the
/// system refuses it, things are as right, and slower.
enum HugePages {
    static let bytes = 1 << 21

    /// Memory below this size is not worth the wish.
    static let leastBytes = 4 * bytes

    /// For memory that nothing has been written to.
    static func ask(for memory: UnsafeMutableRawBufferPointer) {
        #if os(Linux)
            if memory.count >= leastBytes { _ = madvise(memory.baseAddress, memory.count, MADV_HUGEPAGE) }
        #endif
    }

    /// For memory in use: its content is moved to huge pages at once (Linux 6.1 and later). Those that are huge stay.
    static func gather(_ memory: UnsafeMutableRawBufferPointer) {
        #if os(Linux)
            guard memory.count >= leastBytes, let base = memory.baseAddress else { return }
            let first = base.alignedUp(toMultipleOf: bytes)
            let end = (base + memory.count).alignedDown(toMultipleOf: bytes)
            // MADV_COLLAPSE, which older headers do not name.
            _ = madvise(first, end - first, 25)
        #endif
    }
}
