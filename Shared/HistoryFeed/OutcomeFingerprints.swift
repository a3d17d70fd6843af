/// Which completed allocations a dataset holds, in eight bytes each: with a million of them, one strange allocation in some
/// ten million million is taken for a known one.
public struct OutcomeFingerprints: Sendable, Equatable {
    private let sorted: [UInt64]

    public init(ids: some Sequence<String>) {
        self.init(ids.map { Self.fingerprint($0.utf8) })
    }

    init(_ fingerprints: [UInt64]) { sorted = fingerprints.sorted() }

    /// - Parameter bytes: big-endian, sorted, as ``bytes`` gives them; nil when they are not.
    public init?(bytes: [UInt8]) {
        guard bytes.count % 8 == 0 else { return nil }
        sorted = bytes.withUnsafeBytes { raw in
            (0..<raw.count / 8).map { UInt64(bigEndian: raw.loadUnaligned(fromByteOffset: $0 * 8, as: UInt64.self)) }
        }
        guard zip(sorted, sorted.dropFirst()).allSatisfy(<=) else { return nil }
    }

    public var bytes: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(sorted.count * 8)
        for value in sorted { withUnsafeBytes(of: value.bigEndian) { bytes.append(contentsOf: $0) } }
        return bytes
    }

    public var count: Int { sorted.count }

    public func contains(_ id: String) -> Bool {
        let wanted = Self.fingerprint(id.utf8)
        var (low, high) = (0, sorted.count)
        while low < high {
            let middle = (low + high) / 2
            if sorted[middle] < wanted { low = middle + 1 } else { high = middle }
        }
        return low < sorted.count && sorted[low] == wanted
    }

    /// FNV-1a, 64 bits.
    static func fingerprint(_ id: some Sequence<UInt8>) -> UInt64 {
        id.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
    }
}
