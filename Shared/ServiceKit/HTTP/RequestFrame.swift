import Basics
import Contracts
import HTTPTypes
import Logging

/// What surrounds every request of a service, whichever way it is answered: ids and trace, the line of its log, metrics, and errors
/// as `application/problem+json`.
struct RequestFrame: Sendable {
    let connections: ServerConnections
    let measures: RequestMeasures
    let routes: RouteTable

    init(connections: ServerConnections, metrics: MetricsRegistry, routes: RouteTable) {
        self.connections = connections
        self.routes = routes
        measures = RequestMeasures(metrics)
    }

    /// The request's ids, written down.
    func begin(_ headers: HTTPFields, _ record: RequestRecord, client: String?) -> TraceContext {
        let trace = TraceContext(requestID: headers[.requestID], traceparent: headers[.traceparent])
        record.note {
            $0.requestID = trace.requestID
            $0.traceID = trace.traceID
            $0.client = client
        }
        return trace
    }

    /// What every answer says of its request. What does not say itself who may keep it is for the one who asked, and to be asked for
    /// anew each time: a cache between would give one tenant's data to another one's key.
    func complete(_ headers: inout HTTPFields, _ trace: TraceContext) {
        if !headers.contains(.cacheControl) { headers[.cacheControl] = "private, no-cache" }
        headers[.requestID] = trace.requestID
        headers[.traceparent] = trace.traceparent
    }

    /// The head of an answer is on its way.
    ///
    /// - Parameter route: the template; nil where there is none.
    func answered(
        _ method: HTTPRequest.Method, route: String?, status: Int, _ record: RequestRecord, after duration: Duration
    ) {
        let (method, route) = (RequestMeasures.label(method), route ?? "unmatched")
        measures.answered(method, route, status, after: duration)
        record.note {
            $0.method = method
            $0.route = route
            $0.status = status
        }
    }

    /// What a request that failed is answered with; what the log shall know of it is written.
    ///
    /// - Parameter isMatched: whether the path leads to a route.
    func problem(
        _ error: any Error, path: String, isMatched: Bool, _ record: RequestRecord, _ trace: TraceContext,
        _ logger: Logger
    ) -> ProblemError {
        var problem = ProblemError(mapping: error)
        if problem.status == .notFound, !isMatched {
            let allowed = routes.methods(at: path)
            if !allowed.isEmpty {
                problem = ProblemError(
                    status: .methodNotAllowed, message: nil,
                    headers: [.allow: allowed.map(\.rawValue).joined(separator: ", ")])
            }
        }
        if problem.status == ProblemError.clientClosedRequest, connections.lifecycle.isShuttingDown {
            problem = .unavailable("The service is being stopped.", cause: problem.cause)
        }
        Self.report(problem, trace, logger)
        record.note { $0.refusal = .init(problem) }
        return problem
    }

    private static func report(_ problem: ProblemError, _ trace: TraceContext, _ logger: Logger) {
        guard let cause = problem.cause else { return }
        let metadata: Logger.Metadata = [
            LogKey.problemCode: "\(problem.code)", LogKey.error: "\(LogText.of(cause))",
            LogKey.requestID: "\(trace.requestID)", LogKey.traceID: "\(trace.traceID)",
        ]
        switch problem.status.code {
        case 499: logger.debug("Client closed the connection", metadata: metadata)
        case 500: logger.error("Request failed", metadata: metadata)
        case 501...: logger.warning("Request failed", metadata: metadata)
        default: logger.debug("Request refused", metadata: metadata)
        }
    }
}
