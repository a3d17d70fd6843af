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

    private let frame: RequestFrame
    private let router: RouterResponder<ServiceRequestContext>
    private let bodyLimit: Int
    private let bodySpace: BodySpace
    private let answersNodeChecks: Bool

    /// The path at which a load balancer asks a node whether to send it requests: 204, or 503 from a node that is shutting down.
    public static let nodeCheckPath = "/internal/ready"

    init(
        frame: RequestFrame, router: RouterResponder<ServiceRequestContext>, bodyLimit: Int, bodySpace: BodySpace,
        answersNodeChecks: Bool
    ) {
        self.frame = frame
        self.router = router
        self.bodyLimit = bodyLimit
        self.bodySpace = bodySpace
        self.answersNodeChecks = answersNodeChecks
    }

    public func respond(to request: Request, context: ServiceRequestContext) async throws -> Response {
        var context = context
        let waiting = frame.connections.take(on: context.channel)
        let record = waiting ?? RequestRecord(method: request.method.rawValue)
        context.record = record
        context.maxUploadSize = bodyLimit
        context.bodySpace = bodySpace
        context.trace = frame.begin(request.headers, record, client: context.remoteAddress?.ipAddress)
        context.logger[metadataKey: LogKey.requestID] = .string(context.requestID)
        context.logger[metadataKey: LogKey.traceID] = .string(context.trace.traceID)
        context.logger[metadataKey: "hb.request.id"] = nil
        if answersNodeChecks, request.head.path == Self.nodeCheckPath {
            record.note { $0.isQuiet = true }
            return Response(status: frame.connections.lifecycle.isShuttingDown ? .serviceUnavailable : .noContent)
        }
        let request = request.headers[.expect] == nil ? request : Self.continued(request, on: context.channel)
        frame.measures.inFlight.increment()
        defer { frame.measures.inFlight.decrement() }
        let start = ContinuousClock.now
        var response: Response
        do {
            response = try await ListCursor.$list.withValue(request.uri.path) {
                try await problemised(try await router.respond(to: request, context: context), request, context)
            }
        } catch {
            response = problem(error, request, context)
        }
        frame.complete(&response.headers, context.trace)
        frame.answered(
            request.method, route: Self.route(context), status: response.status.code, record,
            after: start.duration(to: .now))
        // With a connection, it is over when the answer has been written there.
        if waiting == nil { frame.connections.accessLog.append(record.finish(isCut: false)) }
        return request.method == .head ? Self.headOnly(response) : response
    }

    private static func route(_ context: ServiceRequestContext) -> String? {
        context.endpointPath.flatMap { $0 == "NotFound" ? nil : $0 }
    }

    private func problem(_ error: any Error, _ request: Request, _ context: ServiceRequestContext) -> Response {
        let problem = frame.problem(
            error, path: request.uri.path, isMatched: context.endpointPath != "NotFound", context.record, context.trace,
            context.logger)
        return Answer.problem(problem, requestID: context.requestID)
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
        return problem(error, request, context)
    }

    /// The client gets `100 Continue` once the handler reads the body, and never when the request is refused.
    private static func continued(_ request: Request, on channel: any Channel) -> Request {
        var request = request
        request.body = RequestBody(asyncSequence: ContinuedBody(body: request.body, channel: channel))
        return request
    }
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
                    try? channel.pipeline.syncOperations.handler(type: RequestFork.self).wantsBody()
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
