/// Why a request gave no (complete) response.
///
/// `description` names neither the address nor anything sent, so it may be shown to the client;
/// `debugDescription` adds libcurl's own words, the underlying error and the place in the code.
public struct HTTPClientError: Error, CustomStringConvertible, CustomDebugStringConvertible {
    /// The kind of failure, stable across versions.
    public struct Code: Sendable, Hashable, CustomStringConvertible {
        private let name: String
        private init(_ name: String) { self.name = name }
        public var description: String { name }

        /// The URL is not an absolute `http` or `https` URL in plain ASCII, or carries credentials. Nothing was sent.
        public static let invalidURL = Code("invalidURL")
        /// The method or a header cannot be sent as given (CR, LF or NUL in it, not a token). Nothing was sent.
        public static let invalidRequest = Code("invalidRequest")
        /// The host name has no address.
        public static let couldNotResolve = Code("couldNotResolve")
        /// Every address refused the connection.
        public static let connectionRefused = Code("connectionRefused")
        /// No address could be connected to, for another reason than refusal (no route, network down).
        public static let unreachable = Code("unreachable")
        /// No connection within the connect timeout. Nothing of the request was sent.
        public static let connectTimedOut = Code("connectTimedOut")
        /// The deadline passed before the last byte, or nothing arrived for longer than the idle timeout.
        public static let timedOut = Code("timedOut")
        /// The peer closed or reset the connection before the response was complete.
        public static let reset = Code("reset")
        /// The response's body or headers exceed the limit.
        public static let responseTooLarge = Code("responseTooLarge")
        /// The TLS handshake failed or the peer's certificate is not trusted.
        public static let tlsFailed = Code("tlsFailed")
        /// What arrived is not an HTTP response.
        public static let badResponse = Code("badResponse")
        /// More redirects than the request allows, or one to a place that must not be followed.
        public static let badRedirect = Code("badRedirect")
        /// The stream that gives the request's body threw or gave another number of bytes than declared.
        public static let requestBodyFailed = Code("requestBodyFailed")
        /// The body of one response was read by two tasks at once.
        public static let concurrentRead = Code("concurrentRead")
        /// The Swift task was cancelled or the response dropped.
        public static let cancelled = Code("cancelled")
        /// The client is shut down.
        public static let shutDown = Code("shutDown")
        /// libcurl failed in a way that has no name here.
        public static let other = Code("other")
    }

    /// The kind of failure.
    public let code: Code
    /// One sentence, safe to show.
    public let message: String
    /// Whether any part of the request may have reached a server. `false` means that the very same request, whatever
    /// its method, may be sent elsewhere without being carried out twice.
    public internal(set) var requestMayHaveBeenProcessed: Bool
    /// What libcurl says; for logs.
    public let detail: String?
    /// The error of the request body's stream, where that was the cause.
    public let underlying: (any Error)?
    /// Where in this library the error was made.
    public let file: String
    public let line: Int

    /// For code that speaks HTTP without this library's client and reports the same failures.
    public init(
        _ code: Code, _ message: String, requestMayHaveBeenProcessed: Bool = false, detail: String? = nil,
        underlying: (any Error)? = nil, file: String = #fileID, line: Int = #line
    ) {
        self.code = code
        self.message = message
        self.requestMayHaveBeenProcessed = requestMayHaveBeenProcessed
        self.detail = detail
        self.underlying = underlying
        self.file = file
        self.line = line
    }

    /// A failure that a further attempt may well not meet. Whether a further attempt is *allowed* depends on the
    /// request too: see ``HTTPClientRequest/isIdempotent`` and ``requestMayHaveBeenProcessed``.
    public var isRetryable: Bool {
        switch code {
        case .couldNotResolve, .connectionRefused, .unreachable, .connectTimedOut, .reset: true
        default: false
        }
    }

    /// Whether time ran out, while connecting or later.
    public var isTimeout: Bool { code == .timedOut || code == .connectTimedOut }

    public var description: String { message }

    public var debugDescription: String {
        var text = "HTTPClientError(\(code)): \(message)"
        if let detail { text += " [\(detail)]" }
        if let underlying { text += " underlying: \(String(reflecting: underlying))" }
        return text + " requestMayHaveBeenProcessed: \(requestMayHaveBeenProcessed) at \(file):\(line)"
    }
}

extension HTTPClientError {
    static let cancelled = HTTPClientError(.cancelled, "The request was cancelled.")
    static let shutDown = HTTPClientError(.shutDown, "The HTTP client is shut down.")
}
