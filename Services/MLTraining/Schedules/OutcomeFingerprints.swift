/// Which completed allocations a dataset holds, in eight bytes each: with a million of them, one strange allocation in some
/// ten million million is taken for a known one.
struct OutcomeFingerprints: Sendable, Equatable {
    private let sorted: [UInt64]

    init(ids: some Sequence<String>) {
        sorted = ids.map(Self.fingerprint).sorted()
    }

    /// - Parameter bytes: big-endian, sorted, as ``bytes`` gives them; nil when they are not.
    init?(bytes: [UInt8]) {
        guard bytes.count % 8 == 0 else { return nil }
        sorted = stride(from: 0, to: bytes.count, by: 8).map { start in
            bytes[start..<start + 8].reduce(0) { $0 << 8 | UInt64($1) }
        }
        guard zip(sorted, sorted.dropFirst()).allSatisfy(<=) else { return nil }
    }

    var bytes: [UInt8] {
        sorted.flatMap { value in (0..<8).map { UInt8(truncatingIfNeeded: value >> (56 - 8 * $0)) } }
    }

    func contains(_ id: String) -> Bool {
        let wanted = Self.fingerprint(id)
        var (low, high) = (0, sorted.count)
        while low < high {
            let middle = (low + high) / 2
            if sorted[middle] < wanted { low = middle + 1 } else { high = middle }
        }
        return low < sorted.count && sorted[low] == wanted
    }

    /// FNV-1a, 64 bits.
    private static func fingerprint(_ id: String) -> UInt64 {
        id.utf8.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
    }
}
