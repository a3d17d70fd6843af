/// One HTTP request.
public struct HTTPClientRequest: Sendable {
    /// The method, case-sensitive: `GET`, `POST`, …
    public var method: String
    /// An absolute `http` or `https` URL, percent-encoded, without credentials. Its path is sent as it stands.
    public var url: String
    /// Header fields in the order in which they are sent; a name may occur more than once. `Content-Length`,
    /// `Transfer-Encoding`, `Connection`, `Keep-Alive`, `Upgrade`, `TE`, `Trailer` and `Expect` are left out: the
    /// client itself frames the body.
    public var headers: [(name: String, value: String)]
    /// The body.
    public var body: HTTPClientRequestBody
    /// The time allowed for everything: retries, redirects, connecting, and the response to its last byte. Time during which the
    /// reader itself holds a response back does not count.
    public var deadline: Duration
    /// The time allowed to each attempt until the response's headers are complete; `nil` leaves only the deadline.
    public var headDeadline: Duration?
    /// The longest silence of the peer while a response is awaited or read; `nil` leaves only the deadline. For
    /// streams with a heartbeat. Time during which the consumer itself holds the stream back does not count.
    public var idleTimeout: Duration?
    /// Largest response body in bytes; beyond it the transfer fails with `responseTooLarge`. `nil`: no limit, which is
    /// safe for a streamed body since it is back-pressured.
    public var maximumResponseBytes: Int?
    /// Further attempts after a failure, made only if the request is idempotent and its body can be sent again.
    public var retries: Int
    /// Statuses that count as a failure worth a further attempt. The last attempt's response is given whatever it is.
    public var retryStatuses: Set<Int>
    /// Whether carrying the request out twice has the effect of once. By default so for `GET`, `HEAD`, `PUT`,
    /// `DELETE`, `OPTIONS` and `TRACE`; set it for a `POST` that carries an idempotency key.
    public var isIdempotent: Bool
    /// Redirects to follow; with 0 a redirect is a response like any other.
    public var maximumRedirects: Int
    /// PEM file of certificate authorities to trust for this request instead of the client's.
    public var caFile: String?
    /// By which the request can be taken back once it has been sent, for which it gets a connection of its own; nil: it cannot.
    public var withdrawal: HTTPClientWithdrawal?

    public init(
        method: String = "GET",
        url: String,
        headers: [(name: String, value: String)] = [],
        body: HTTPClientRequestBody = .none,
        deadline: Duration = .seconds(30),
        headDeadline: Duration? = nil,
        idleTimeout: Duration? = nil,
        maximumResponseBytes: Int? = nil,
        retries: Int = 0,
        retryStatuses: Set<Int> = [502, 503, 504],
        isIdempotent: Bool? = nil,
        maximumRedirects: Int = 0,
        caFile: String? = nil
    ) {
        self.method = method
        self.url = url
        self.headers = headers
        self.body = body
        self.deadline = deadline
        self.headDeadline = headDeadline
        self.idleTimeout = idleTimeout
        self.maximumResponseBytes = maximumResponseBytes
        self.retries = retries
        self.retryStatuses = retryStatuses
        self.isIdempotent = isIdempotent ?? Self.idempotentMethods.contains(method)
        self.maximumRedirects = maximumRedirects
        self.caFile = caFile
    }

    static let idempotentMethods: Set<String> = ["GET", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE"]
}

/// The body of a request.
public enum HTTPClientRequestBody: Sendable {
    case none
    case bytes([UInt8])
    /// Chunks pulled as the peer takes them, never more than a bounded number of bytes ahead, and not before a
    /// connection stands. With a `length` the body is sent with `Content-Length` and the stream must give exactly that
    /// many bytes; without, it is sent chunked (HTTP/1.1) or delimited by the stream's end (HTTP/2).
    case stream(length: Int?, any AsyncSequence<[UInt8], any Error> & Sendable)

    /// Whether the body can be sent a second time.
    var isReplayable: Bool {
        if case .stream = self { false } else { true }
    }
}
