public import Contracts
import HTTPClient
import HTTPTypes
import ServiceIdentity

extension ServiceClient {
    /// Tries the addresses in turn until one answers.
    ///
    /// A request that may have been carried out is only ever sent again when it is a GET.
    func send<Answer: Sendable>(
        _ method: String, _ path: String, _ body: HTTPClientRequestBody, _ caller: Caller?, _ trace: TraceContext,
        _ extra: [(name: String, value: String)], deadline: Duration, idleTimeout: Duration?,
        _ execute: (HTTPClientRequest) async throws -> Answer
    ) async throws -> Answer {
        var headers = extra
        headers.append((HeaderName.authorization, "Bearer \(try signer.assertion(for: service, caller: caller))"))
        headers.append((HeaderName.requestID, trace.requestID))
        headers.append((HeaderName.traceparent, trace.traceparent))
        headers.append(("Accept", "application/json, application/x-ndjson, application/octet-stream"))
        if case .none = body {} else { headers.append(("Content-Type", "application/json")) }
        let end = ContinuousClock.now.advanced(by: deadline)
        let first = Int(truncatingIfNeeded: next.take() % UInt(baseURLs.count))
        var failure: HTTPClientError?
        for offset in baseURLs.indices {
            let remaining = ContinuousClock.now.duration(to: end)
            guard remaining > .zero else { break }
            let isLast = offset == baseURLs.count - 1
            var request = HTTPClientRequest(
                method: method, url: baseURLs[(first + offset) % baseURLs.count] + path, headers: headers, body: body,
                deadline: remaining, idleTimeout: idleTimeout)
            // Another address is a better second attempt than the same one.
            request.retries = isLast && method == "GET" ? retries : 0
            request.retryStatuses = []
            do {
                return try await execute(request)
            } catch let error as HTTPClientError {
                guard error.isRetryable, method == "GET" || !error.requestMayHaveBeenProcessed else {
                    throw problem(error)
                }
                failure = error
            }
        }
        throw failure.map(problem) ?? timedOut(cause: nil)
    }

    private func problem(_ error: HTTPClientError) -> any Error {
        if error.code == .cancelled { return CancellationError() }
        if error.isTimeout { return timedOut(cause: error) }
        if error.isRetryable || error.code == .shutDown {
            return ProblemError.unavailable(
                "The service \(service.rawValue) is not available at the moment.", cause: error)
        }
        return badAnswer(error)
    }

    private func timedOut(cause: (any Error)?) -> ProblemError {
        ProblemError(
            status: .gatewayTimeout, code: .upstreamTimeout, "The service \(service.rawValue) did not answer in time.",
            cause: cause)
    }

    func badAnswer(_ cause: any Error) -> ProblemError {
        ProblemError(
            status: .badGateway, code: .upstreamFailed, "The service \(service.rawValue) gave no usable answer.",
            cause: cause)
    }

    /// The other service's problem as this service's own client gets it; the text of a 5xx is not passed on.
    func problem(_ status: Int, _ body: [UInt8]) -> ProblemError {
        guard let problem: Problem = try? WireJSON.decode(from: body) else {
            return badAnswer(UpstreamFailure(service: service, status: status, code: nil))
        }
        let cause = UpstreamFailure(service: service, status: status, code: problem.code)
        switch status {
        case 503: return .unavailable("The service \(service.rawValue) is not available at the moment.", cause: cause)
        case 504: return timedOut(cause: cause)
        case 500...: return badAnswer(cause)
        // The other service refuses this one's assertion: a fault of the platform that the client cannot correct.
        case 401 where problem.code == .notAuthenticated: return badAnswer(cause)
        default:
            return ProblemError(
                status: HTTPResponse.Status(code: status), code: problem.code, problem.error, errors: problem.errors,
                cause: cause)
        }
    }
}

/// A failure that another service answered with, for the log.
public struct UpstreamFailure: Error, CustomStringConvertible {
    public let service: ServiceName
    public let status: Int
    public let code: ErrorCode?
    public var description: String { "\(service.rawValue) answered \(status)\(code.map { " \($0)" } ?? "")" }
}
