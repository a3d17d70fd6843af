import Basics
import Contracts
import HTTPClient
import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import ServiceKit

/// Last stage: sends the request on and the answer back, both in pieces, as fast as the slower side takes them.
///
/// An upstream that cannot be reached is answered for with 503, one that breaks off or speaks no HTTP with 502, one that does
/// not answer in time with 504. A client that hangs up ends the upstream's transfer and is not an error; one that is too
/// slow with its body gets 408. Neither says anything of the upstream's health.
struct ForwardStage: Sendable {
    /// A request as it goes on.
    struct Outgoing: Sendable {
        let match: MatchedRoute
        let service: ServiceName
        /// Whose request it is; nil: no tenant's.
        let tenant: TenantID?
        let headers: [(name: String, value: String)]
        /// The client wants no body.
        var isHead = false
        /// Whether carrying it out twice has the effect of once.
        var isRepeatable = false
        /// Whether the client would still be admitted; nil on public routes.
        var recheck: (@Sendable () async throws -> Void)?
        /// The queue in which the request waits for its turn; nil for routes without a queue. The request joins it only after its
        /// body has come: a slow client must not hold a place.
        var turn: (queue: LoginQueue, tenant: TenantID, address: ClientAddress)?
        /// What the gateway itself makes of the head of an answer: fields to add.
        var answered: @Sendable (HTTPClientResponse) async -> HTTPFields = { _ in HTTPFields() }
        /// The client's connection, watched for its end; nil where there is none, and for what changes something: it is carried out to the
        /// end, for a client that may only have finished sending.
        let channel: (any Channel)?
        let record: RequestRecord
        let logger: Logger
    }

    let client: HTTPClient
    let upstreams: [ServiceName: Upstream]
    var uploadRate = BodyRate.standard
    var rewrite = RewriteStage()

    /// A body that cannot be larger is read first and sent whole; others stream.
    static let collectedBytes = 64 * 1024
    /// Whether the body is passed on while it comes.
    static func streamsBody(_ headers: HTTPFields, _ route: Route) -> Bool {
        headers.contains(.transferEncoding)
            ? route.bodyLimitBytes > collectedBytes
            : headers[.contentLength].flatMap { Int($0) } ?? 0 > collectedBytes
    }

    /// How long a client may take for a body that is read first, unless its route allows less.
    static let longestCollecting = Duration.seconds(30)

    /// Whether carrying a request out twice has the effect of once. One that depends on the state that it finds would be refused by
    /// what its first attempt has done.
    static func isRepeatable(_ match: MatchedRoute, _ headers: HTTPFields) -> Bool {
        switch match.method {
        case "GET", "PUT", "DELETE": !headers.contains(.ifMatch) && !headers.contains(.ifUnmodifiedSince)
        case "POST": match.route.takesIdempotencyKey && headers.contains(.idempotencyKey)
        default: false
        }
    }

    /// - Throws: ``ProblemError`` until the head of the answer has come; afterwards the connection to the client breaks off,
    ///   which is the only way left to say that the answer is not whole.
    func forward(_ request: Request, _ outgoing: Outgoing) async throws -> Response {
        guard let upstream = upstreams[outgoing.service] else {
            throw ProblemError.unavailable("The service for this is not configured.")
        }
        let route = outgoing.match.route
        let standing = outgoing.recheck.map { Standing(recheck: $0) }
        let upload = Upload(
            request.body, length: request.headers[.contentLength].flatMap { Int($0) },
            limitBytes: route.bodyLimitBytes, rate: uploadRate, standing: standing)
        outgoing.record.note { $0.upstream = outgoing.service.rawValue }
        do {
            let body = try await body(of: request, upload, standing, route)
            // An upload is applied after its end has come: its sender must stay authorised until the answer.
            let watched = Self.streamsBody(request.headers, route) ? standing : nil
            let (answer, node) = try await withHangUpCancelling(outgoing.channel) {
                try await withStandingWatched(watched, refused: upload.refuse) {
                    guard let turn = outgoing.turn else { return try await ask(upstream, outgoing, body, upload) }
                    return try await turn.queue.withSlot(turn.tenant, turn.address) {
                        try await ask(upstream, outgoing, body, upload)
                    }
                }
            }
            try upload.answered(answer.status)
            return try await response(answer, upstream, node, upload, outgoing)
        } catch {
            let problem = upload.refusal ?? Self.problem(error, upload)
            // A client that has stopped sending would keep its own refusal waiting.
            if let problem = problem as? ProblemError, problem.status == .requestTimeout {
                await upload.abandon()
            } else {
                await upload.close()
            }
            throw problem
        }
    }

    private func body(
        of request: Request, _ upload: Upload, _ standing: Standing?, _ route: Route
    ) async throws -> HTTPClientRequestBody {
        let length = request.headers[.contentLength].flatMap { Int($0) }
        if let length, length > route.bodyLimitBytes {
            throw ProblemError.payloadTooLarge(limit: route.bodyLimitBytes)
        }
        let isChunked = request.headers[.transferEncoding] != nil
        guard isChunked || length ?? 0 > 0 else { return .none }
        // Chunked, it is no longer than the route allows.
        let most = isChunked ? route.bodyLimitBytes : length ?? 0
        guard most <= Self.collectedBytes else {
            try await upload.begin()
            return .stream(length: isChunked ? nil : length, upload.chunks)
        }
        let bytes = try await request.bodyBytes(
            upTo: most, within: min(route.timeout, Self.longestCollecting), atLeast: uploadRate)
        guard isChunked || bytes.count == length else { throw CancellationError() }
        try await standing?.requireFresh()
        return .bytes(bytes)
    }

    /// Asks the nodes that ``Attempts`` names.
    private func ask(
        _ upstream: Upstream, _ outgoing: Outgoing, _ body: HTTPClientRequestBody, _ upload: Upload
    ) async throws -> (HTTPClientResponse, String) {
        let route = outgoing.match.route
        var attempts = Attempts(
            upstream, of: outgoing.tenant, isRepeatable: outgoing.isRepeatable && !body.isStreamed,
            isVouched: outgoing.recheck != nil, within: route.timeout)
        while let node = attempts.next(outgoing.record) {
            do {
                var request = HTTPClientRequest(
                    method: outgoing.match.method, url: node + outgoing.match.path.target, headers: outgoing.headers,
                    body: body, deadline: attempts.left(route), headDeadline: attempts.patience(route),
                    idleTimeout: route.isStreaming ? route.timeout : nil)
                if body.isStreamed { request.withdrawal = upload.withdrawal }
                let answer = try await client.execute(request)
                if attempts.answered(answer.status, node) {
                    answer.body.cancel()
                    continue
                }
                if attempts.mistrusts(answer.status) {
                    answer.body.cancel()
                    throw Attempts.mistrusted
                }
                // How much of a stream the node has got is not known here.
                attempts.noteConnection(
                    answer["Connection"], answer.status, of: node, isSent: !body.isStreamed)
                outgoing.record.whenFinished { upstream.ended(node) }
                return (answer, node)
            } catch let error as HTTPClientError {
                guard
                    attempts.failed(
                        error, node, isClientsTurn: upload.excuses(error, on: route), isStarted: upload.isStarted,
                        outgoing.logger)
                else { throw error }
            } catch {
                attempts.abandoned(node)
                throw error
            }
        }
        throw attempts.failure
    }

    static func problem(_ error: any Error, _ upload: Upload) -> any Error {
        if let failure = upload.inputFailure { return failure }
        return (error as? HTTPClientError)?.problem(isClientsTurn: upload.isClientsTurn) ?? error
    }
}

extension HTTPClientRequestBody {
    fileprivate var isStreamed: Bool {
        if case .stream = self { true } else { false }
    }
}
