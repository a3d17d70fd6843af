import Contracts
import HTTPTypes
import ServiceKit

/// Sixth stage: the headers that go on to the upstream, and those that come back to the client.
///
/// Only listed fields are passed on. Fields that state the caller, the tenant or the connection can never be listed: the gateway
/// sets them itself from what it has verified.
struct RewriteStage: Sendable {
    /// Fields of requests that go on beside the standard ones, in lower case; none that ``isOwn(_:)``.
    var also: Set<String> = []

    /// Facts that the gateway itself has verified.
    struct Vouched: Sendable {
        /// The internal assertion (docs/architecture.md#internal-identity).
        let assertion: String
        let requestID: String
        let traceparent: String
        /// The client's address and scheme, and the name it asked for.
        let origin: TrustedProxies.Origin
        let host: String?
    }

    func request(_ headers: HTTPFields, _ vouched: Vouched) -> [(name: String, value: String)] {
        let connection = Self.namedByConnection(headers[values: .connection])
        let host = vouched.host.flatMap { Self.isPlainHost($0) ? $0 : nil }
        var kept: [(name: String, value: String)] = []
        kept.reserveCapacity(headers.count + 7)
        for field in headers {
            let name = field.name.canonicalName
            guard Self.standard.contains(name) || also.contains(name), !connection.contains(name) else { continue }
            kept.append((field.name.rawName, field.value))
        }
        kept.append((HeaderName.authorization, "Bearer \(vouched.assertion)"))
        kept.append((HeaderName.requestID, vouched.requestID))
        kept.append((HeaderName.traceparent, vouched.traceparent))
        kept.append((HTTPField.Name.forwarded.rawName, Self.forwarded(vouched.origin, host)))
        // The same for readers of the older fields.
        kept.append(("X-Forwarded-For", vouched.origin.address.description))
        kept.append(("X-Forwarded-Proto", vouched.origin.scheme))
        if let host { kept.append(("X-Forwarded-Host", host)) }
        return kept
    }

    /// The names of the fields that a request may bring: those that go on, and those that the gateway itself reads.
    var accepted: [String] { Self.standard.union(also).union(Self.readHere).sorted() }

    /// Hop-by-hop fields end here; the request id is set by the gateway for all its answers.
    func response(_ headers: some Sequence<(name: String, value: String)>) -> HTTPFields {
        let connection = Self.namedByConnection(
            headers.lazy.filter { $0.name.utf8.count == 10 && $0.name.lowercased() == "connection" }.map { $0.value })
        var kept = HTTPFields()
        // With room for what the gateway adds.
        kept.reserveCapacity(headers.underestimatedCount + 10)
        for (name, value) in headers {
            guard let field = HTTPField.Name(name), !Self.endsHere.contains(field.canonicalName),
                !connection.contains(field.canonicalName)
            else { continue }
            kept.append(HTTPField(name: field, value: value))
        }
        return kept
    }

    /// RFC 9110 §7.6.1; `Proxy-Connection` and `Keep-Alive` are old and still sent.
    static let hopByHop: Set<String> = [
        "connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-authentication-info",
        "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade", "http2-settings",
    ]

    /// Fields that services may use and that cannot be mistaken for facts verified by the gateway.
    private static let standard: Set<String> = [
        "accept", "accept-charset", "accept-encoding", "accept-language", "cache-control", "content-disposition",
        "content-encoding", "content-language", "content-type", "date", "idempotency-key", "if-match",
        "if-modified-since", "if-none-match", "if-range", "if-unmodified-since", "inference-header-content-length",
        "last-event-id", "pragma", "prefer", "priority", "range", "tracestate", "user-agent",
    ]

    /// Fields of requests that the gateway itself reads, in lower case.
    private static let readHere = Set(
        [
            HeaderName.authorization, HTTPField.Name.apiKey.rawName, HeaderName.requestID, HeaderName.tenantID,
            HeaderName.traceparent,
        ].map { $0.lowercased() })

    /// Set by the gateway itself, or framing that the client library makes.
    private static let own: Set<String> = [
        "authorization", "x-api-key", "cookie", "x-request-id", "traceparent", "forwarded", "via", "host",
        "content-length",
        "expect", "x-real-ip", "x-client-ip", "x-cluster-client-ip", "true-client-ip", "x-original-url",
        "x-rewrite-url",
        "x-http-method-override", "x-http-method", "x-method-override", "x-original-method",
    ]

    /// Of answers: hop-by-hop fields, and what the gateway says itself.
    private static let endsHere = hopByHop.union([
        "x-request-id", "server", "content-length", HeaderName.provenAccount.lowercased(),
    ])

    private static let identityPrefixes = [
        "x-tenant", "x-user", "x-auth", "x-erm", "x-identity", "x-permission", "x-role", "x-subject", "x-platform",
        "x-forwarded", "x-internal", "x-remote", "x-authenticated", "x-principal",
    ]

    /// Fields that decide what becomes of a request: whether it is carried out once, on which state, and what its body is.
    private static let decisive: Set<String> = [
        "content-encoding", "content-type", "idempotency-key", "if-match", "if-modified-since", "if-none-match",
        "if-range", "if-unmodified-since", "inference-header-content-length", "range",
    ]

    /// No sender may name such a field in `Connection` (RFC 9110 §7.6.1): it would end here, and the service would carry out, on any state
    /// or twice, what its sender has asked for once or on one state.
    ///
    /// - Throws: ``ProblemError`` 400.
    static func requireDecisive(_ headers: HTTPFields) throws {
        guard headers.contains(.connection) else { return }
        let named = namedByConnection(headers[values: .connection])
        guard
            let field = headers.first(where: {
                named.contains($0.name.canonicalName) && decisive.contains($0.name.canonicalName)
            })
        else { return }
        throw ProblemError.malformed("Connection must not name \(field.name.rawName), which is meant for the service.")
    }

    /// Whether a field is the gateway's to set: it can never come from outside.
    ///
    /// - Parameter name: in lower case.
    static func isOwn(_ name: String) -> Bool {
        // X_Tenant_ID reaches some readers as X-Tenant-ID.
        own.contains(name) || hopByHop.contains(name) || name.contains("_")
            || identityPrefixes.contains { name.hasPrefix($0) }
    }

    /// The names in the values of `Connection`.
    private static func namedByConnection(_ values: some Sequence<String>) -> Set<String> {
        var names: Set<String> = []
        for value in values {
            for name in value.split(separator: ",") {
                names.insert(name.filter { $0 != " " && $0 != "\t" }.lowercased())
            }
        }
        return names
    }

    /// RFC 7239: an IPv6 address stands in brackets and quotes.
    private static func forwarded(_ origin: TrustedProxies.Origin, _ host: String?) -> String {
        let address = origin.address
        var text = address.bytes.count == 16 ? "for=\"[\(address)]\"" : "for=\(address)"
        if let host { text += ";host=\"\(host)\"" }
        text += ";proto=\(origin.scheme)"
        return text
    }

    /// Whether a host can be quoted safely.
    private static func isPlainHost(_ host: String) -> Bool { !host.isEmpty && host.utf8.allSatisfy(isHostCharacter) }

    private static func isHostCharacter(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x41...0x5a).contains(byte) || (0x61...0x7a).contains(byte)
            || "-.:[]".utf8.contains(byte)
    }
}
