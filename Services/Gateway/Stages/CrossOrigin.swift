import HTTPTypes

/// Which web pages of other origins may ask (CORS, the Fetch standard §3.2). Without an origin in the configuration none may.
struct CrossOrigin: Sendable, Equatable {
    /// `https://app.example`, or `*` for every one; credentials travel in headers that a page sets itself, never in cookies.
    var origins: Set<String>
    /// How long a browser may remember what it was told.
    var maximumAge: Duration

    private func allowed(_ headers: HTTPFields) -> String? {
        guard let origin = headers[.origin] else { return nil }
        if origins.contains("*") { return "*" }
        return origins.contains(origin) ? origin : nil
    }

    /// Adds to every answer what the browser must know of it. All answers say that they depend on the origin: a cache would give a
    /// page the answer to a request without one, which the page may not read (the Fetch standard, "CORS protocol and HTTP caches").
    ///
    /// - Parameter request: the fields of the request.
    func complete(_ answer: inout HTTPFields, to request: HTTPFields) {
        answer.append(HTTPField(name: .vary, value: "Origin"))
        guard let origin = allowed(request) else { return }
        answer[.accessControlAllowOrigin] = origin
        answer[.accessControlExposeHeaders] = Self.exposed
    }

    /// Fields of answers that a page may read beside those that it always may.
    private static let exposed = [
        "Allow", "Content-Disposition", "ETag", "Inference-Header-Content-Length", "Location", "RateLimit",
        "RateLimit-Policy", "Retry-After", "X-Request-ID",
    ].joined(separator: ", ")

    /// What a browser gets that asks whether a page may ask; nil for other requests.
    ///
    /// - Parameters:
    ///   - methods: those of the route.
    ///   - fields: the names of those that requests may bring.
    func preflight(_ request: HTTPRequest, methods: [String], fields: [String]) -> HTTPFields? {
        guard request.method == .options, allowed(request.headerFields) != nil,
            request.headerFields[.accessControlRequestMethod] != nil
        else { return nil }
        return [
            .accessControlAllowMethods: methods.joined(separator: ", "),
            .accessControlAllowHeaders: fields.joined(separator: ", "),
            .accessControlMaxAge: "\(maximumAge.components.seconds)",
        ]
    }
}
