/// A request that has been checked and put into the form in which libcurl takes it.
struct PreparedRequest: Sendable {
    let method: String
    let url: String
    let isSecure: Bool
    let headerLines: [String]
    let body: HTTPClientRequestBody
    let isIdempotent: Bool
    let maximumResponseBytes: Int
    let headDeadline: Duration?
    let idleTimeout: Duration?
    let caFile: String?
    let isWithdrawable: Bool

    /// - Throws: `invalidURL`, `invalidRequest`.
    init(_ request: HTTPClientRequest, userAgent: String?) throws(HTTPClientError) {
        guard Self.isToken(request.method), request.method != "CONNECT" else {
            throw HTTPClientError(.invalidRequest, "The method is not one that can be sent.")
        }
        isSecure = try Self.checkedURL(request.url).scheme == "https"
        method = request.method
        url = request.url
        headerLines = try Self.lines(request.headers, userAgent: userAgent)
        body = try Self.body(request)
        isIdempotent = request.isIdempotent
        maximumResponseBytes = request.maximumResponseBytes ?? .max
        headDeadline = request.headDeadline
        idleTimeout = request.idleTimeout
        caFile = request.caFile
        isWithdrawable = request.withdrawal != nil
    }

    static func checkedURL(_ url: String) throws(HTTPClientError) -> CurlURL {
        // libcurl would accept some of these and send them; a raw space or line break in a request line is an injection.
        guard url.utf8.allSatisfy({ (0x21...0x7e).contains($0) }) else {
            throw HTTPClientError(.invalidURL, "The URL has characters that must be percent-encoded.")
        }
        guard let parsed = CurlURL(url), parsed.scheme == "http" || parsed.scheme == "https" else {
            throw HTTPClientError(.invalidURL, "The URL is not an absolute http or https URL.")
        }
        guard !parsed.hasCredentials else {
            throw HTTPClientError(.invalidURL, "The URL must not carry credentials.")
        }
        return parsed
    }

    /// What frames the message is the client's own business: a copied `Content-Length` beside a body of another
    /// length is how requests are smuggled.
    private static let framing: Set<String> = [
        "content-length", "transfer-encoding", "connection", "keep-alive", "proxy-connection", "upgrade", "te",
        "trailer", "expect",
    ]

    private static func lines(
        _ headers: [(name: String, value: String)], userAgent: String?
    ) throws(HTTPClientError) -> [String] {
        var lines: [String] = []
        var names: Set<String> = []
        for (name, value) in headers {
            guard isToken(name) else {
                throw HTTPClientError(.invalidRequest, "A header name has characters that are not allowed.")
            }
            guard value.utf8.allSatisfy({ ($0 >= 0x20 && $0 != 0x7f) || $0 == 0x09 }) else {
                throw HTTPClientError(.invalidRequest, "The value of the header \(name) has control characters.")
            }
            let lowercased = name.lowercased()
            guard !framing.contains(lowercased) else { continue }
            names.insert(lowercased)
            // To libcurl "Name:" means "do not send it"; "Name;" sends it with an empty value.
            let isEmpty = value.utf8.allSatisfy { $0 == 0x20 || $0 == 0x09 }
            lines.append(isEmpty ? "\(name);" : "\(name): \(value)")
        }
        if let userAgent, !names.contains("user-agent") { lines.append("User-Agent: \(userAgent)") }
        // Not sent unless asked for: libcurl's own "Accept: */*" and the round trip of "100-continue".
        if !names.contains("accept") { lines.append("Accept:") }
        lines.append("Expect:")
        return lines
    }

    private static func body(_ request: HTTPClientRequest) throws(HTTPClientError) -> HTTPClientRequestBody {
        if case .none = request.body {
            // A POST without a body still says so: "Content-Length: 0".
            return ["POST", "PUT", "PATCH"].contains(request.method) ? .bytes([]) : .none
        }
        guard request.method != "HEAD", request.method != "TRACE" else {
            throw HTTPClientError(.invalidRequest, "A \(request.method) request has no body.")
        }
        if case .stream(let length?, _) = request.body, length < 0 {
            throw HTTPClientError(.invalidRequest, "The body's length is negative.")
        }
        return request.body
    }

    /// RFC 9110 §5.6.2.
    private static func isToken(_ text: String) -> Bool {
        !text.isEmpty
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"),
                    UInt8(ascii: "A")...UInt8(ascii: "Z"):
                    true
                default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
                }
            }
    }
}
