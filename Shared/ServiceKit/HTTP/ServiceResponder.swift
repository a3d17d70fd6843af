import Basics
import Contracts
public import HTTPTypes
public import Hummingbird
import Logging
import NIOCore

/// What surrounds every request of a service: ids and trace, the largest body, one log line, metrics, and errors as
/// `application/problem+json`.
public struct ServiceResponder: HTTPResponder {
    public typealias Context = ServiceRequestContext

    private let routes: RouteTable
    private let router: RouterResponder<ServiceRequestContext>
    private let metrics: MetricsRegistry
    private let connections: ServerConnections
    private let bodyLimit: Int
    private let answersNodeChecks: Bool

    /// Where whoever spreads requests over the nodes of a service asks one whether to send it any: 204, or 503 from a node that is
    /// going down.
    public static let nodeCheckPath = "/internal/ready"

    init(
        routes: RouteTable, router: RouterResponder<ServiceRequestContext>, metrics: MetricsRegistry,
        connections: ServerConnections, bodyLimit: Int, answersNodeChecks: Bool
    ) {
        self.routes = routes
        self.router = router
        self.metrics = metrics
        self.connections = connections
        self.bodyLimit = bodyLimit
        self.answersNodeChecks = answersNodeChecks
    }

    public func respond(to request: Request, context: ServiceRequestContext) async throws -> Response {
        var context = context
        let waiting = connections.take(on: context.channel)
        let record = waiting ?? RequestRecord(method: request.method.rawValue)
        context.record = record
        context.maxUploadSize = bodyLimit
        context.trace = TraceContext(
            requestID: request.headers[.requestID], traceparent: request.headers[.traceparent])
        context.logger[metadataKey: LogKey.requestID] = .string(context.requestID)
        context.logger[metadataKey: LogKey.traceID] = .string(context.trace.traceID)
        context.logger[metadataKey: "hb.request.id"] = nil
        record.note {
            $0.requestID = context.requestID
            $0.traceID = context.trace.traceID
            $0.client = context.remoteAddress?.ipAddress
        }
        if answersNodeChecks, request.head.path == Self.nodeCheckPath {
            record.note { $0.isQuiet = true }
            return Response(status: connections.lifecycle.isShuttingDown ? .serviceUnavailable : .noContent)
        }
        let request = request.headers[.expect] == nil ? request : Self.continued(request, on: context.channel)
        let inFlight = metrics.gauge("http_server_requests_in_flight", help: "Requests being served.")
        inFlight.increment()
        defer { inFlight.decrement() }
        let start = ContinuousClock.now
        var response: Response
        do {
            response = try await ListCursor.$list.withValue(request.uri.path) {
                try await problemised(try await router.respond(to: request, context: context), request, context)
            }
        } catch {
            response = problemResponse(error, request, context)
        }
        response.headers[.requestID] = context.requestID
        response.headers[.traceparent] = context.traceparent
        measure(request, response.status, context, duration: start.duration(to: .now))
        // With a connection, it is over when the answer has been written there.
        if waiting == nil { connections.accessLog.append(record.finish(isCut: false)) }
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
        if problem.status == ProblemError.clientClosedRequest, connections.lifecycle.isShuttingDown {
            problem = .unavailable("The service is being stopped.", cause: problem.cause)
        }
        report(problem, context)
        context.record.note { $0.refusal = .init(problem) }
        return Answer.problem(problem, requestID: context.requestID)
    }

    private func report(_ problem: ProblemError, _ context: ServiceRequestContext) {
        guard let cause = problem.cause else { return }
        let metadata: Logger.Metadata = [LogKey.problemCode: "\(problem.code)", LogKey.error: "\(LogText.of(cause))"]
        switch problem.status.code {
        case 499: context.logger.debug("Client closed the connection", metadata: metadata)
        case 500: context.logger.error("Request failed", metadata: metadata)
        case 501...: context.logger.warning("Request failed", metadata: metadata)
        default: context.logger.debug("Request refused", metadata: metadata)
        }
    }

    private func measure(
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
        context.record.note {
            $0.method = method
            $0.route = route
            $0.status = status.code
        }
    }

    /// The client is told to send the body once somebody wants to read it, and not when the request is refused.
    private static func continued(_ request: Request, on channel: any Channel) -> Request {
        var request = request
        request.body = RequestBody(asyncSequence: ContinuedBody(body: request.body, channel: channel))
        return request
    }

    /// Others would let a client make any number of series.
    private static let knownMethods: Set<HTTPRequest.Method> = [.get, .head, .post, .put, .patch, .delete, .options]
}

/// A body whose client waits for `100 Continue`.
private struct ContinuedBody: AsyncSequence, Sendable {
    typealias Element = ByteBuffer

    let body: RequestBody
    let channel: any Channel

    func makeAsyncIterator() -> Iterator { Iterator(pieces: body.makeAsyncIterator(), channel: channel) }

    struct Iterator: AsyncIteratorProtocol {
        fileprivate var pieces: RequestBody.AsyncIterator
        fileprivate var channel: (any Channel)?

        mutating func next() async throws -> ByteBuffer? {
            if let channel {
                self.channel = nil
                channel.eventLoop.execute {
                    try? channel.pipeline.syncOperations.handler(type: ConnectionGuard.self).wantsBody()
                }
            }
            return try await pieces.next()
        }
    }
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
