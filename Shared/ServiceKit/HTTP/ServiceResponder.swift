import Contracts
public import HTTPTypes
public import Hummingbird
import Logging

/// What surrounds every request of a service: ids and trace, the largest body, one log line, metrics, and errors as
/// `application/problem+json`.
public struct ServiceResponder: HTTPResponder {
    public typealias Context = ServiceRequestContext

    private let routes: RouteTable
    private let router: RouterResponder<ServiceRequestContext>
    private let metrics: MetricsRegistry
    private let lifecycle: ServiceLifecycleState
    private let bodyLimit: Int

    init(
        routes: RouteTable, router: RouterResponder<ServiceRequestContext>, metrics: MetricsRegistry,
        lifecycle: ServiceLifecycleState, bodyLimit: Int
    ) {
        self.routes = routes
        self.router = router
        self.metrics = metrics
        self.lifecycle = lifecycle
        self.bodyLimit = bodyLimit
    }

    public func respond(to request: Request, context: ServiceRequestContext) async throws -> Response {
        var context = context
        context.maxUploadSize = bodyLimit
        context.trace = TraceContext(
            requestID: request.headers[.requestID], traceparent: request.headers[.traceparent])
        context.logger[metadataKey: "requestId"] = .string(context.requestID)
        context.logger[metadataKey: "traceId"] = .string(context.trace.traceID)
        context.logger[metadataKey: "hb.request.id"] = nil
        let inFlight = metrics.gauge("http_server_requests_in_flight", help: "Requests being served.")
        inFlight.increment()
        defer { inFlight.decrement() }
        let start = ContinuousClock.now
        var response: Response
        do {
            response = try await problemised(try await router.respond(to: request, context: context), request, context)
        } catch {
            response = problemResponse(error, request, context)
        }
        response.headers[.requestID] = context.requestID
        response.headers[.traceparent] = context.traceparent
        record(request, response.status, context, duration: start.duration(to: .now))
        return request.method == .head ? Self.headOnly(response) : response
    }

    /// The head of a GET's answer, its length included, without the body.
    private static func headOnly(_ response: Response) -> Response {
        var response = response
        response.body = ResponseBody(contentLength: response.body.contentLength) { try await $0.finish(nil) }
        return response
    }

    /// Hummingbird's router answers its own errors itself, with an empty body or one of its own form.
    private func problemised(
        _ response: Response, _ request: Request, _ context: ServiceRequestContext
    ) async throws -> Response {
        guard response.status.code >= 400, response.headers[.contentType]?.hasPrefix(Problem.mediaType) != true else {
            return response
        }
        guard let error = await HummingbirdErrorBody.error(from: response) else { return response }
        return problemResponse(error, request, context)
    }

    private func problemResponse(_ error: any Error, _ request: Request, _ context: ServiceRequestContext) -> Response {
        var problem = ProblemError(mapping: error)
        if problem.status == .notFound, context.endpointPath == "NotFound" {
            let allowed = routes.methods(at: request.uri.path)
            if !allowed.isEmpty {
                problem = ProblemError(
                    status: .methodNotAllowed, message: nil,
                    headers: [.allow: allowed.map(\.rawValue).joined(separator: ", ")])
            }
        }
        if problem.status == ProblemError.clientClosedRequest, lifecycle.isShuttingDown {
            problem = .unavailable("The service is being stopped.", cause: problem.cause)
        }
        report(problem, context)
        return Answer.problem(problem, requestID: context.requestID)
    }

    private func report(_ problem: ProblemError, _ context: ServiceRequestContext) {
        guard let cause = problem.cause else { return }
        let metadata: Logger.Metadata = ["code": "\(problem.code)", "error": "\(LogText.of(cause))"]
        switch problem.status.code {
        case 499: context.logger.debug("client closed the connection", metadata: metadata)
        case 500: context.logger.error("request failed", metadata: metadata)
        case 501...: context.logger.warning("request failed", metadata: metadata)
        default: context.logger.debug("request refused", metadata: metadata)
        }
    }

    private func record(
        _ request: Request, _ status: HTTPResponse.Status, _ context: ServiceRequestContext, duration: Duration
    ) {
        let route = context.endpointPath.flatMap { $0 == "NotFound" ? nil : $0 } ?? "unmatched"
        let method = Self.knownMethods.contains(request.method) ? request.method.rawValue : "other"
        let labels = [("method", method), ("route", route), ("status", "\(status.code)")]
        metrics.counter("http_server_requests_total", labels, help: "Requests answered.").increment()
        metrics.histogram(
            "http_server_request_duration_seconds", [("method", method), ("route", route)],
            help: "Time until the answer's head."
        ).record(duration)
        context.logger.info(
            "request",
            metadata: [
                "method": "\(method)", "route": "\(route)", "status": .stringConvertible(status.code),
                "durationMs": .stringConvertible((duration / .milliseconds(1) * 100).rounded() / 100),
            ])
    }

    /// Others would let a client make any number of series.
    private static let knownMethods: Set<HTTPRequest.Method> = [.get, .head, .post, .put, .patch, .delete, .options]
}

extension HTTPField.Name {
    /// `X-Request-ID`
    public static let requestID = HTTPField.Name(HeaderName.requestID)!
    /// `traceparent`
    public static let traceparent = HTTPField.Name(HeaderName.traceparent)!
    /// `X-Tenant-ID`
    public static let tenantID = HTTPField.Name(HeaderName.tenantID)!
    /// `Idempotency-Key`
    public static let idempotencyKey = HTTPField.Name(HeaderName.idempotencyKey)!
}
