import Basics
public import Contracts

/// A feed that cannot be used: cut short, or its lines do not add up. Asking again may well succeed.
public struct HistoryFeedError: Error, CustomStringConvertible, Equatable {
    public let description: String

    public init(description: String) { self.description = description }
}

/// Checks the lines of one feed as they come.
///
/// A plain value: the reader of the stream hands each line in and asks for the end when the stream is over.
public struct HistoryFeedCheck: Sendable {
    private var lines = 0
    private var end: HistoryEnd?

    public init() {}

    /// - Throws: `HistoryFeedError` when a line follows the end, or the end counts other lines than came.
    public mutating func receive(_ line: HistoryLine) throws(HistoryFeedError) {
        guard end == nil else { throw HistoryFeedError(description: "the history feed goes on after its end") }
        guard case .end(let claimed) = line else {
            lines += 1
            return
        }
        guard claimed.lines == lines else {
            throw HistoryFeedError(
                description: "the history feed announces \(claimed.lines) lines but \(lines) arrived")
        }
        end = claimed
    }

    /// The watermark to ask from next time.
    /// - Throws: `HistoryFeedError` when the feed stopped without its end.
    public func finish() throws(HistoryFeedError) -> String { try wholeFeed().watermark }

    /// What the feed's end says.
    /// - Throws: `HistoryFeedError` when the feed stopped without its end.
    public func wholeFeed() throws(HistoryFeedError) -> HistoryEnd {
        guard let end else {
            throw HistoryFeedError(description: "the history feed was cut short after \(lines) lines")
        }
        return end
    }
}

public enum HistoryFeedPath {
    /// tenant-admin's path of a tenant's history, all of it or what changed since a watermark.
    public static func path(tenant: TenantID, since watermark: String? = nil) -> String {
        let base = "/internal/v1/tenants/\(tenant)/history"
        guard let watermark else { return base }
        return base + "?since=" + watermark.percentEncoded(keeping: isUnreserved)
    }

    private static func isUnreserved(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
            UInt8(ascii: "~"):
            true
        default: false
        }
    }
}
