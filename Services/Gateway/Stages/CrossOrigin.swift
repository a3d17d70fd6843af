import HTTPTypes
import Hummingbird
import ServiceKit

/// Which web pages of other origins may ask (CORS, the Fetch standard §3.2). Without an origin in the configuration none may, and
/// OPTIONS is a method like any other that no route takes.
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

    /// The fields to add to every answer to a request. All answers say that they depend on the origin: a cache would give a page the
    /// answer to a request without one, which the page may not read (the Fetch standard, "CORS protocol and HTTP caches").
    func fields(for request: Request) -> HTTPFields {
        guard let origin = allowed(request.headers) else { return [.vary: "Origin"] }
        return [
            .accessControlAllowOrigin: origin, .vary: "Origin",
            .accessControlExposeHeaders: "ETag, Location, Retry-After, RateLimit, RateLimit-Policy, X-Request-ID",
        ]
    }

    /// The answer to a browser that asks whether a page may ask; nil for other requests.
    ///
    /// - Parameter methods: those of the route.
    func preflight(_ request: Request, methods: [String]) -> Response? {
        guard request.method == .options, let origin = allowed(request.headers),
            request.headers[.accessControlRequestMethod] != nil
        else { return nil }
        return Response(
            status: .noContent,
            headers: [
                .accessControlAllowOrigin: origin, .vary: "Origin",
                .accessControlAllowMethods: methods.joined(separator: ", "),
                .accessControlAllowHeaders:
                    "Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, X-API-Key, X-Request-ID, X-Tenant-ID",
                .accessControlMaxAge: "\(maximumAge.components.seconds)",
            ])
    }
}
