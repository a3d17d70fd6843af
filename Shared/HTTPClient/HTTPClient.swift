import Basics
public import Logging

/// An HTTP client on libcurl: one thread drives all transfers, connections are kept and shared, bodies stream in both
/// directions with back-pressure. It knows nothing of the rest of the platform.
///
/// Call ``shutdown(draining:)`` when done; a client that is dropped instead fails what is still running once the last
/// of its responses is dropped too.
public final class HTTPClient: Sendable {
    private let driver: CurlDriver
    private let logger: Logger

    public init(configuration: HTTPClientConfiguration = .init(), logger: Logger) {
        self.logger = logger
        driver = CurlDriver(configuration: configuration, logger: logger)
    }

    /// Sends a request and returns as soon as the headers of the (final) response are complete.
    ///
    /// Failures while the body is read afterwards are thrown there, and not retried.
    /// - Throws: ``HTTPClientError``, and nothing else.
    public func execute(_ request: HTTPClientRequest) async throws -> HTTPClientResponse {
        try await perform(request) { $0 }
    }

    /// Sends a request and reads the response's body; retries cover the reading too.
    ///
    /// - Parameter limit: largest body in bytes.
    /// - Throws: ``HTTPClientError``, and nothing else.
    public func execute(
        _ request: HTTPClientRequest, collectingUpTo limit: Int
    ) async throws -> (response: HTTPClientResponse, body: [UInt8]) {
        try await perform(request) { ($0, try await $0.collect(upTo: limit)) }
    }

    /// Ends the client: new requests fail with `shutDown` at once, running ones when `draining` has passed. Returns
    /// when all are over and the thread has ended. May be called more than once.
    public func shutdown(draining: Duration = .zero) async {
        await driver.shutDown(by: .now.advanced(by: draining))
    }
}

extension HTTPClient {
    /// Follows redirects.
    private func perform<Answer: Sendable>(
        _ request: HTTPClientRequest, read: (HTTPClientResponse) async throws -> Answer
    ) async throws -> Answer {
        let deadline = ContinuousClock.now.advanced(by: request.deadline)
        var request = request
        for redirects in 0... {
            let (next, answer) = try await attempt(request, deadline: deadline) { response in
                let next = try request.redirected(by: response, redirectsBefore: redirects)
                return (next, next == nil ? try await read(response) : nil)
            }
            if let next { request = next } else if let answer { return answer }
        }
        preconditionFailure("the loop above only ends by returning")
    }

    /// Tries until it succeeds, or may not be tried again.
    private func attempt<Answer: Sendable>(
        _ request: HTTPClientRequest, deadline: ContinuousClock.Instant,
        read: (HTTPClientResponse) async throws -> Answer
    ) async throws -> Answer {
        let prepared = try PreparedRequest(request, userAgent: driver.configuration.userAgent)
        let retries = request.isIdempotent && request.body.isReplayable ? max(0, request.retries) : 0
        var mayHaveBeenProcessed = false
        for attempt in 1... {
            let pause: Duration
            do {
                let transfer = Transfer(prepared, deadline: deadline, driver: driver)
                request.withdrawal?.begins(transfer)
                let response = HTTPClientResponse(try await transfer.start(), transfer: transfer)
                guard attempt <= retries, request.retryStatuses.contains(response.status),
                    let wait = self.pause(before: attempt, retryAfter: response["Retry-After"], deadline: deadline)
                else { return try await read(response) }
                pause = wait
                mayHaveBeenProcessed = true
            } catch var error as HTTPClientError {
                mayHaveBeenProcessed = mayHaveBeenProcessed || error.requestMayHaveBeenProcessed
                error.requestMayHaveBeenProcessed = mayHaveBeenProcessed
                guard attempt <= retries, error.isRetryable,
                    let wait = self.pause(before: attempt, retryAfter: nil, deadline: deadline)
                else { throw error }
                pause = wait
            }
            logger.debug(
                "HTTP request is retried", metadata: [LogKey.attempt: "\(attempt)", LogKey.retryDelay: "\(pause)"])
            do {
                try await Task.sleep(for: pause)
            } catch {
                var cancelled = HTTPClientError.cancelled
                cancelled.requestMayHaveBeenProcessed = mayHaveBeenProcessed
                throw cancelled
            }
        }
        preconditionFailure("the loop above only ends by returning")
    }

    private func pause(before attempt: Int, retryAfter: String?, deadline: ContinuousClock.Instant) -> Duration? {
        var random = SystemRandomNumberGenerator()
        return driver.configuration.backoff.pause(
            attempt: attempt, retryAfter: retryAfter.flatMap(RetryAfter.delay),
            remaining: deadline - .now, using: &random)
    }
}
