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
/// not answer in time with 504. A client that hangs up ends the upstream's transfer and is nobody's error.
struct ForwardStage: Sendable {
    /// A request as it goes on.
    struct Outgoing: Sendable {
        let match: MatchedRoute
        let service: ServiceName
        let headers: [(name: String, value: String)]
        /// The client's connection, watched for its end; nil where there is none.
        let channel: (any Channel)?
        let logger: Logger
    }

    let client: HTTPClient
    let upstreams: [ServiceName: Upstream]
    let rewrite = RewriteStage()

    /// A body up to this size is read first and sent whole; a larger one streams.
    static let collectedBytes = 64 * 1024
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
        let body = try await body(of: request, upload, limit: route.bodyLimitBytes)
        do {
            let (answer, choice) = try await withHangUpCancelling(outgoing.channel) {
                try await ask(upstream, outgoing, body, upload)
            }
            return try await response(answer, upstream, choice, upload, outgoing)
        } catch {
            await upload.close()
            throw upload.refusal ?? Self.problem(error)
        }
    }

    private func body(of request: Request, _ upload: Upload, limit: Int) async throws -> HTTPClientRequestBody {
        let length = request.headers[.contentLength].flatMap { Int($0) }
        if let length, length > limit { throw ProblemError.payloadTooLarge(limit: limit) }
        if request.headers[.transferEncoding] != nil { return .stream(length: nil, upload.chunks) }
        guard let length, length > 0 else { return .none }
        guard length <= Self.collectedBytes else { return .stream(length: length, upload.chunks) }
        let buffer = try await request.body.collect(upTo: length)
        guard buffer.readableBytes == length else { throw CancellationError() }
        return .bytes(Array(buffer.readableBytesView))
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
                guard Self.isUpstreamsFault(error) else { throw error }
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
            }
        }
        if let lastError { throw lastError }
        throw ProblemError.unavailable("No instance of the service for this is reachable.")
    }

    /// A short answer is read to its end first: what breaks off is then still a clean 502. Longer ones and those of
    /// unknown length stream.
    private func response(
        _ answer: HTTPClientResponse, _ upstream: Upstream, _ choice: Upstream.Choice, _ upload: Upload,
        _ outgoing: Outgoing
    ) async throws -> Response {
        let status = HTTPResponse.Status(code: answer.status)
        let headers = rewrite.response(answer.headers)
        let hasBody = status.code != 204 && status.code != 304
        let length = hasBody ? answer["Content-Length"].flatMap { Int($0) } : 0
        if let length, length <= Self.collectedBytes {
            let bytes = try await withHangUpCancelling(outgoing.channel) { try await answer.collect(upTo: length) }
            guard hasBody else {
                await upload.close()
                return Response(status: status, headers: headers)
            }
            return Response(status: status, headers: headers, body: Self.body(bytes, upload))
        }
        return Response(
            status: status, headers: headers,
            body: ResponseBody(contentLength: length) { writer in
                if let channel = outgoing.channel { HangUpWatch.observe(channel) { answer.body.cancel() } }
                do {
                    for try await chunk in answer.body { try await writer.write(ByteBuffer(bytes: chunk)) }
                    await upload.close()
                    if let channel = outgoing.channel { HangUpWatch.ignore(channel) }
                    try await writer.finish(nil)
                } catch {
                    answer.body.cancel()
                    await upload.close()
                    report(error, of: upstream, choice, outgoing)
                    throw error
                }
            })
    }

    /// The server reads on once the answer is written, so an upload that was cut short must have let go of the connection
    /// by then; not earlier, for the client may wait for the answer before it sends more.
    private static func body(_ bytes: [UInt8], _ upload: Upload) -> ResponseBody {
        let buffer = ByteBuffer(bytes: bytes)
        guard upload.isCut else { return ResponseBody(byteBuffer: buffer) }
        return ResponseBody(contentLength: bytes.count) { writer in
            try await writer.write(buffer)
            await upload.close()
            try await writer.finish(nil)
        }
    }

    private func report(
        _ error: any Error, of upstream: Upstream, _ choice: Upstream.Choice, _ outgoing: Outgoing
    ) {
        guard let error = error as? HTTPClientError, Self.isUpstreamsFault(error) else { return }
        upstream.failed(choice)
        outgoing.logger.warning(
            "Upstream broke off its answer",
            metadata: ["upstream": "\(upstream.service.rawValue)", "error": "\(String(reflecting: error))"])
    }

    private static func isUpstreamsFault(_ error: HTTPClientError) -> Bool {
        switch error.code {
        case .couldNotResolve, .connectionRefused, .unreachable, .connectTimedOut, .timedOut, .reset, .tlsFailed,
            .badResponse,
            .responseTooLarge, .other:
            true
        default: false
        }
    }

    static func problem(_ error: any Error) -> any Error {
        guard let error = error as? HTTPClientError else { return error }
        switch error.code {
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
