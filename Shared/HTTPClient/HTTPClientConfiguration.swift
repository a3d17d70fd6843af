/// How a client connects; what differs from request to request stands in ``HTTPClientRequest``.
public struct HTTPClientConfiguration: Sendable {
    /// Which versions of HTTP to speak.
    public enum ProtocolVersion: Sendable {
        /// HTTP/2 over TLS where the peer agrees to it (ALPN), else HTTP/1.1.
        case automatic
        /// HTTP/1.1 only.
        case http1Only
        /// HTTP/2 at once, over clear text too: the peer is known to speak it. Each request takes a connection of its
        /// own, since libcurl 7.88 cannot use such a connection twice.
        case http2PriorKnowledge
    }

    /// A name whose addresses are given here instead of being looked up.
    public struct StaticHost: Sendable {
        public var name: String
        public var port: Int
        /// IP addresses, tried until one accepts.
        public var addresses: [String]

        public init(name: String, port: Int, addresses: [String]) {
            self.name = name
            self.port = port
            self.addresses = addresses
        }
    }

    public var protocolVersion: ProtocolVersion = .automatic
    /// Time allowed for name lookup, connecting and the TLS handshake, within the request's deadline.
    public var connectTimeout: Duration = .seconds(5)
    /// Connections to one host and port at a time; further requests wait for one (within their deadline). 0: no limit.
    public var maximumConnectionsPerHost: Int = 128
    /// Connections kept open for re-use, all hosts together.
    public var maximumIdleConnections: Int = 256
    /// An idle connection older than this is not used again. Keep it below the servers' keep-alive time.
    public var idleConnectionTimeout: Duration = .seconds(20)
    /// How long a name's addresses are remembered.
    public var nameCacheTime: Duration = .seconds(10)
    /// Bytes of a response held for a slow reader before the peer is held back.
    public var responseBufferBytes: Int = 256 * 1024
    /// Bytes of a streamed request body held for a slow peer before the producer is held back.
    public var requestBufferBytes: Int = 256 * 1024
    /// Largest sum of all header lines of a response, in bytes.
    public var maximumHeaderBytes: Int = 64 * 1024
    /// PEM file of certificate authorities to trust instead of the system's.
    public var caFile: String?
    /// PEM files of the certificate and key this client shows to TLS peers that ask for one.
    public var clientCertificateFile: String?
    public var clientKeyFile: String?
    /// Names with fixed addresses.
    public var staticHosts: [StaticHost] = []
    /// Sent as `User-Agent` where a request has none; `nil` sends none.
    public var userAgent: String?
    /// The pause before a further attempt.
    public var backoff = HTTPClientBackoff()

    public init() {}
}
