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
        /// The client's connection, watched for its end; nil where there is none.
        let channel: (any Channel)?
        let logger: Logger
    }

    let client: HTTPClient
    let upstreams: [ServiceName: Upstream]
    let rewrite = RewriteStage()

    /// A body that cannot be larger is read first and sent whole; others stream.
    static let collectedBytes = 64 * 1024
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
        let upload = Upload(request.body, limitBytes: route.bodyLimitBytes)
        let body = try await body(of: request, upload, route)
        do {
            let (answer, choice) = try await withHangUpCancelling(outgoing.channel) {
                guard let turn = outgoing.turn else { return try await ask(upstream, outgoing, body, upload) }
                return try await turn.queue.withSlot(turn.tenant, turn.address) {
                    try await ask(upstream, outgoing, body, upload)
                }
            }
            return try await response(answer, upstream, choice, upload, outgoing)
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
        of request: Request, _ upload: Upload, _ route: Route
    ) async throws -> HTTPClientRequestBody {
        let length = request.headers[.contentLength].flatMap { Int($0) }
        if let length, length > route.bodyLimitBytes {
            throw ProblemError.payloadTooLarge(limit: route.bodyLimitBytes)
        }
        let isChunked = request.headers[.transferEncoding] != nil
        guard isChunked || length ?? 0 > 0 else { return .none }
        // Chunked, it is no longer than the route allows.
        let most = isChunked ? route.bodyLimitBytes : length ?? 0
        guard most <= Self.collectedBytes else { return .stream(length: isChunked ? nil : length, upload.chunks) }
        let bytes = try await request.bodyBytes(upTo: most, within: min(route.timeout, Self.longestCollecting))
        guard isChunked || bytes.count == length else { throw CancellationError() }
        return .bytes(bytes)
    }

    /// Asks one address after the other, as long as the one before has certainly not seen the request.
    private func ask(
        _ upstream: Upstream, _ outgoing: Outgoing, _ body: HTTPClientRequestBody, _ upload: Upload
    ) async throws -> (HTTPClientResponse, Upstream.Choice) {
        let route = outgoing.match.route
        var tried: Set<Int> = []
        var lastError: HTTPClientError?
        while let choice = upstream.choose(excluding: tried) {
            do {
                let answer = try await client.execute(
                    HTTPClientRequest(
                        method: outgoing.match.method, url: choice.baseURL + outgoing.match.path.target,
                        headers: outgoing.headers, body: body,
                        deadline: route.isStreaming ? Self.longest : route.timeout,
                        idleTimeout: route.isStreaming ? route.timeout : nil))
                upstream.succeeded(choice)
                return (answer, choice)
            } catch let error as HTTPClientError {
                guard Self.isUpstreamsFault(error, upload) else {
                    upstream.undecided(choice)
                    throw error
                }
                upstream.failed(choice)
                outgoing.logger.warning(
                    "Upstream request failed",
                    metadata: [
                        "upstream": "\(upstream.service.rawValue)", "address": "\(choice.baseURL)",
                        "error": "\(String(reflecting: error))",
                    ])
                guard !error.requestMayHaveBeenProcessed, !upload.isStarted else { throw error }
                tried.insert(choice.index)
                lastError = error
            } catch {
                upstream.undecided(choice)
                throw error
            }
        }
        if let lastError { throw lastError }
        throw ProblemError.unavailable("No instance of the service for this is reachable.")
    }

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
