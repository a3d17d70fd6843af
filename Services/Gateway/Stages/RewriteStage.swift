import Contracts
import HTTPTypes

/// Sixth stage: the headers that go on to the upstream, and those that come back to the client.
///
/// What says who is asking, for which tenant or on which connection is never taken over from outside; the gateway sets it
/// anew from what it has verified.
struct RewriteStage: Sendable {
    /// What the gateway itself vouches for.
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
        let connection = Self.namedByConnection(headers)
        var kept: [(name: String, value: String)] = []
        for field in headers where !Self.isForbidden(field.name.canonicalName, connection) {
            kept.append((field.name.rawName, field.value))
        }
        kept.append((HeaderName.authorization, "Bearer \(vouched.assertion)"))
        kept.append((HeaderName.requestID, vouched.requestID))
        kept.append((HeaderName.traceparent, vouched.traceparent))
        kept.append((HTTPField.Name.forwarded.rawName, Self.forwarded(vouched)))
        return kept
    }

    /// Hop-by-hop fields end here; the request id is set by the gateway for all its answers.
    func response(_ headers: [(name: String, value: String)]) -> HTTPFields {
        var incoming = HTTPFields()
        for (name, value) in headers {
            if let name = HTTPField.Name(name) { incoming.append(HTTPField(name: name, value: value)) }
        }
        let connection = Self.namedByConnection(incoming)
        var kept = HTTPFields()
        for field in incoming {
            let name = field.name.canonicalName
            guard !Self.hopByHop.contains(name), !connection.contains(name), !Self.ownOnResponse.contains(name) else {
                continue
            }
            kept.append(field)
        }
        return kept
    }

    /// RFC 9110 §7.6.1; `Proxy-Connection` and `Keep-Alive` are old and still sent.
    static let hopByHop: Set<String> = [
        "connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-authentication-info",
        "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade", "http2-settings",
    ]

    /// Set by the gateway itself, or framing that the client library makes.
    private static let own: Set<String> = [
        "authorization", "x-api-key", "cookie", "x-request-id", "traceparent", "forwarded", "via", "host",
        "content-length",
        "expect", "x-real-ip", "x-client-ip", "x-cluster-client-ip", "true-client-ip", "x-original-url",
        "x-rewrite-url",
        "x-http-method-override", "x-http-method", "x-method-override", "x-original-method",
    ]

    private static let ownOnResponse: Set<String> = [
        "x-request-id", "server", "content-length", HeaderName.provenAccount.lowercased(),
    ]

    private static let identityPrefixes = [
        "x-tenant", "x-user", "x-auth", "x-erm", "x-identity", "x-permission", "x-role", "x-subject", "x-platform",
        "x-forwarded", "x-internal", "x-remote", "x-authenticated", "x-principal",
    ]

    private static func isForbidden(_ name: String, _ connection: Set<String>) -> Bool {
        // X_Tenant_ID reaches some readers as X-Tenant-ID.
        own.contains(name) || hopByHop.contains(name) || connection.contains(name) || name.contains("_")
            || identityPrefixes.contains { name.hasPrefix($0) }
    }

    private static func namedByConnection(_ headers: HTTPFields) -> Set<String> {
        let names = headers[values: .connection].flatMap { $0.split(separator: ",") }
        return Set(names.map { $0.filter { $0 != " " && $0 != "\t" }.lowercased() })
    }

    /// RFC 7239: an IPv6 address stands in brackets and quotes; what cannot be quoted safely is left out.
    private static func forwarded(_ vouched: Vouched) -> String {
        let address = vouched.origin.address
        var parts = [address.bytes.count == 16 ? "for=\"[\(address)]\"" : "for=\(address)"]
        if let host = vouched.host, host.utf8.allSatisfy({ isHostCharacter($0) }), !host.isEmpty {
            parts.append("host=\"\(host)\"")
        }
        parts.append("proto=\(vouched.origin.scheme)")
        return parts.joined(separator: ";")
    }

    private static func isHostCharacter(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x41...0x5a).contains(byte) || (0x61...0x7a).contains(byte)
            || "-.:[]".utf8.contains(byte)
    }
}
