import Basics
import Contracts
import HTTPClient
import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import NIOHTTP1
import ServiceKit

/// Last stage: sends the request on and the answer back, both in pieces, as fast as the slower side takes them.
///
/// An upstream that cannot be reached is answered for with 503, one that breaks off or speaks no HTTP with 502, one that does
/// not answer in time with 504. A client that hangs up ends the upstream's transfer and is nobody's error; one that is too
/// slow with its body gets 408. Neither says anything of the upstream's health.
struct ForwardStage: Sendable {
    /// A request as it goes on.
    struct Outgoing: Sendable {
        let match: MatchedRoute
        let service: ServiceName
        let headers: [(name: String, value: String)]
        /// The client wants no body.
        var isHead = false
        /// Whether the client would still be let in; nil where anybody is.
        var recheck: (@Sendable () async throws -> Void)?
        /// In whose turn the upstream is asked; nil where nobody need wait. Only once the body has come: a slow client must
        /// not hold a place.
        var turn: (queue: LoginQueue, tenant: TenantID, address: ClientAddress)?
        /// What the gateway itself makes of the head of an answer: fields to add.
        var answered: @Sendable (HTTPClientResponse) async -> HTTPFields = { _ in HTTPFields() }
        /// The client's connection, watched for its end; nil where there is none.
        let channel: (any Channel)?
        let record: RequestRecord
        let logger: Logger

        /// Whether carrying the request out twice has the effect of once. One that depends on the state that it finds would be
        /// refused by what its first attempt has done.
        var isRepeatable: Bool {
            switch match.method {
            case "GET", "PUT", "DELETE": !has("if-match") && !has("if-unmodified-since")
            case "POST": match.route.takesIdempotencyKey && has("idempotency-key")
            default: false
            }
        }

        private func has(_ name: String) -> Bool {
            headers.contains { $0.name.lowercased() == name }
        }
    }

    let client: HTTPClient
    let upstreams: [ServiceName: Upstream]
    var uploadRate = GatewayConfiguration.UploadRate.standard
    let rewrite = RewriteStage()

    /// A body that cannot be larger is read first and sent whole; others stream.
    static let collectedBytes = 64 * 1024
    /// Whether the body is passed on while it comes.
    static func streamsBody(_ headers: HTTPFields, _ route: Route) -> Bool {
        headers[.transferEncoding] != nil
            ? route.bodyLimitBytes > collectedBytes
            : headers[.contentLength].flatMap { Int($0) } ?? 0 > collectedBytes
    }

    /// How long a client may take for a body that is read first, unless its route allows less.
    static let longestCollecting = Duration.seconds(30)
    /// No exchange lasts longer, streaming ones included.
    private static let longest = Duration.seconds(24 * 3600)

    /// - Throws: ``ProblemError`` until the head of the answer has come; afterwards the connection to the client breaks off,
    ///   which is the only way left to say that the answer is not whole.
    func forward(_ request: Request, _ outgoing: Outgoing) async throws -> Response {
        guard let upstream = upstreams[outgoing.service] else {
            throw ProblemError.unavailable("The service for this is not configured.")
        }
        let route = outgoing.match.route
        let standing = outgoing.recheck.map { Standing(recheck: $0) }
        let upload = Upload(
            request.body, limitBytes: route.bodyLimitBytes, rate: uploadRate, standing: standing)
        outgoing.record.note { $0.upstream = outgoing.service.rawValue }
        do {
            let body = try await body(of: request, upload, standing, route)
            // An upload is applied after its end has come: until the answer, its sender must still be somebody who may.
            let watched = Self.streamsBody(request.headers, route) ? standing : nil
            let (answer, node) = try await withHangUpCancelling(
                outgoing.channel, while: watched, refused: upload.refuse
            ) {
                guard let turn = outgoing.turn else { return try await ask(upstream, outgoing, body, upload) }
                return try await turn.queue.withSlot(turn.tenant, turn.address) {
                    try await ask(upstream, outgoing, body, upload)
                }
            }
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
        let bytes = try await request.bodyBytes(upTo: most, within: min(route.timeout, Self.longestCollecting))
        guard isChunked || bytes.count == length else { throw CancellationError() }
        try await standing?.requireFresh()
        return .bytes(bytes)
    }

    /// Asks one node after the other, as long as the one before has certainly not seen the request; and once more, within the
    /// budget for that, when the request may be carried out twice and the node failed it.
    private func ask(
        _ upstream: Upstream, _ outgoing: Outgoing, _ body: HTTPClientRequestBody, _ upload: Upload
    ) async throws -> (HTTPClientResponse, String) {
        let end = ContinuousClock.now + outgoing.match.route.timeout
        let isRepeatable = outgoing.isRepeatable && body.isRepeatable
        var (tried, retried): (Set<String>, Bool) = ([], false)
        var lastError: HTTPClientError?
        upstream.sent()
        while let node = upstream.choose(excluding: tried, isTrial: isRepeatable) {
            tried.insert(node)
            outgoing.record.note {
                $0.upstreamNode = node
                $0.attempts = ($0.attempts ?? 0) + 1
            }
            let mayRetry = { isRepeatable && !retried && upstream.hasOther(than: tried) && end > .now }
            do {
                let request = request(outgoing, body, to: node, until: end, sharesTime: mayRetry())
                let answer = try await client.execute(request)
                if Self.isRefusal(answer.status) {
                    upstream.failed(node, .refused)
                    if mayRetry(), upstream.mayRetry() {
                        retried = true
                        answer.body.cancel()
                        upstream.ended(node)
                        continue
                    }
                } else {
                    upstream.succeeded(node)
                }
                if answer["Connection"]?.lowercased() == "close" { upstream.draining(node) }
                outgoing.record.whenFinished { upstream.ended(node) }
                return (answer, node)
            } catch let error as HTTPClientError {
                upstream.ended(node)
                guard Self.isUpstreamsFault(error, upload) else {
                    upstream.undecided(node)
                    throw error
                }
                upstream.failed(node, .noAnswer)
                outgoing.logger.warning(
                    "Upstream request failed",
                    metadata: [
                        LogKey.upstream: "\(upstream.service.rawValue)", LogKey.upstreamAddress: "\(node)",
                        LogKey.error: "\(String(reflecting: error))",
                    ])
                lastError = error
                if !error.requestMayHaveBeenProcessed, !upload.isStarted { continue }
                guard mayRetry(), upstream.mayRetry() else { throw error }
                retried = true
            } catch {
                upstream.ended(node)
                upstream.undecided(node)
                throw error
            }
        }
        if let lastError { throw lastError }
        throw ProblemError.unavailable("No instance of the service for this is reachable.")
    }

    /// - Parameter sharesTime: leave time for another attempt, should this node not answer at all.
    private func request(
        _ outgoing: Outgoing, _ body: HTTPClientRequestBody, to node: String, until end: ContinuousClock.Instant,
        sharesTime: Bool
    ) -> HTTPClientRequest {
        let route = outgoing.match.route
        let left = max(.milliseconds(1), ContinuousClock.now.duration(to: end))
        let deadline = route.isStreaming ? Self.longest : sharesTime ? max(left / 3, min(left, .seconds(1))) : left
        return HTTPClientRequest(
            method: outgoing.match.method, url: node + outgoing.match.path.target, headers: outgoing.headers,
            body: body, deadline: deadline, idleTimeout: route.isStreaming ? route.timeout : nil)
    }

    /// The node could not answer now; another may.
    private static func isRefusal(_ status: Int) -> Bool { status == 502 || status == 503 || status == 504 }

    /// Whether a failure says something of the upstream's health. What goes wrong while the client owes the next piece of its
    /// body does not: the upstream had nothing to answer yet.
    static func isUpstreamsFault(_ error: HTTPClientError, _ upload: Upload) -> Bool {
        switch error.code {
        case .couldNotResolve, .connectionRefused, .unreachable, .connectTimedOut, .tlsFailed: true
        case .timedOut, .reset, .badResponse, .responseTooLarge, .other: !upload.isClientsTurn
        default: false
        }
    }

    static func problem(_ error: any Error, _ upload: Upload) -> any Error {
        if let failure = upload.inputFailure { return failure }
        guard let error = error as? HTTPClientError else { return error }
        switch error.code {
        case .timedOut where upload.isClientsTurn:
            return ProblemError.requestTimeout(cause: error)
        case .timedOut:
            return ProblemError(
                status: .gatewayTimeout, code: .upstreamTimeout, "The service for this did not answer in time.",
                cause: error)
        case .couldNotResolve, .connectionRefused, .unreachable, .connectTimedOut, .shutDown:
            return ProblemError.unavailable("The service for this is not reachable at the moment.", cause: error)
        case .cancelled, .requestBodyFailed:
            return CancellationError()
        default:
            return ProblemError(
                status: .badGateway, code: .upstreamFailed, "The service for this gave no usable answer.", cause: error)
        }
    }
}

extension HTTPClientRequestBody {
    fileprivate var isRepeatable: Bool {
        if case .stream = self { false } else { true }
    }
}
