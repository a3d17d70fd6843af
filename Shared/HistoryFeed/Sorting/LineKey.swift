import Forecasting

/// Where a line belongs in a dataset's order, and which thing it is said of.
///
/// People come first, then projects, then capacity by day and person, then allocations by decision and id: what is new in a
/// history comes at the end of its kind.
struct LineKey: Sendable {
    private enum Kind: UInt8 { case employee, project, capacity, allocation }

    /// Compared byte by byte: the kind, then the moment of an allocation's decision or the day of a capacity, then the identity.
    let bytes: [UInt8]
    /// Where in the bytes the identity begins: lines of one kind and identity are said of the same thing.
    let identityStart: Int

    static func employee(_ id: String) -> LineKey { LineKey(.employee, id: id) }

    static func project(_ id: String) -> LineKey { LineKey(.project, id: id) }

    static func capacity(employee: String, day: Double) -> LineKey {
        LineKey(.capacity, before: day, id: employee, after: day)
    }

    /// - Parameter decidedAt: any, for the removal of an allocation.
    static func allocation(_ id: String, decidedAt: Double) -> LineKey {
        LineKey(.allocation, before: decidedAt, id: id)
    }

    private init(_ kind: Kind, before: Double? = nil, id: String, after: Double? = nil) {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(1 + id.utf8.count + 9)
        bytes.append(kind.rawValue)
        if let before { Self.append(before, to: &bytes) }
        identityStart = bytes.count
        bytes.append(contentsOf: id.utf8)
        if let after {
            // Ends the id, which sorts before those that it begins.
            bytes.append(0)
            Self.append(after, to: &bytes)
        }
        self.bytes = bytes
    }

    /// The same for all lines said of one thing; for an allocation that of its id.
    var fingerprint: UInt64 { OutcomeFingerprints.fingerprint(bytes[identityStart...]) }

    /// Eight bytes that compare as the numbers do.
    private static func append(_ number: Double, to bytes: inout [UInt8]) {
        // Adding zero makes one zero of both.
        let bits = (number + 0).bitPattern
        let ordered = bits >> 63 == 0 ? bits | 1 << 63 : ~bits
        withUnsafeBytes(of: ordered.bigEndian) { bytes.append(contentsOf: $0) }
    }
}
