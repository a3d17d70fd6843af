import Basics

/// What ties a request's log lines together across services: its id, and its place in a trace (W3C Trace Context).
public struct TraceContext: Sendable, Hashable {
    public let requestID: String
    /// 32 lower-case hex digits, the same in every service a request passes.
    public let traceID: String
    /// 16 lower-case hex digits, this service's part of the trace.
    public let spanID: String
    /// Whether the caller records the trace.
    public let flags: String
    /// The header to send on.
    public let traceparent: String

    /// A new trace, for work that no request started.
    public init() { self.init(requestID: nil, traceparent: nil) }

    /// Goes on with what the caller sent; what is absent or not sane is replaced.
    public init(requestID: String?, traceparent: String?) {
        self.requestID = requestID.flatMap { Self.isSane($0) ? $0 : nil } ?? RandomHex.digits(words: 2)
        let parent = traceparent.flatMap(Self.parse)
        traceID = parent?.traceID ?? RandomHex.digits(words: 2)
        flags = parent?.flags ?? "00"
        spanID = RandomHex.digits(words: 1)
        self.traceparent = "00-\(traceID)-\(spanID)-\(flags)"
    }

    static func isSane(_ requestID: String) -> Bool {
        (1...128).contains(requestID.utf8.count)
            && requestID.utf8.allSatisfy {
                (48...57).contains($0) || (65...90).contains($0) || (97...122).contains($0)
                    || [45, 46, 95].contains($0)
            }
    }

    /// `version-traceid-parentid-flags`; versions after 00 may carry more behind.
    private static func parse(_ text: String) -> (traceID: String, flags: String)? {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count >= 4, parts[0] == "00" ? parts.count == 4 : true,
            isHex(parts[0], 2), parts[0] != "ff", isHex(parts[1], 32), isHex(parts[2], 16), isHex(parts[3], 2),
            parts[1].contains(where: { $0 != "0" }), parts[2].contains(where: { $0 != "0" })
        else { return nil }
        return (String(parts[1]), sampled(parts[3]))
    }

    /// Only the lowest bit, "sampled", has a meaning.
    private static func sampled(_ flags: Substring) -> String {
        (UInt8(flags, radix: 16) ?? 0) & 1 == 1 ? "01" : "00"
    }

    private static func isHex(_ text: Substring, _ count: Int) -> Bool {
        text.utf8.count == count && text.utf8.allSatisfy { (48...57).contains($0) || (97...102).contains($0) }
    }
}
