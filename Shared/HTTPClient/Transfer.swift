import Synchronization

/// One attempt at a request: the meeting point of the tasks that read the response and produce the request's body with
/// the driver's thread.
final class Transfer: Sendable {
    let request: PreparedRequest
    /// When everything must be over, apart from the time during which the reader holds the response back.
    let deadline: ContinuousClock.Instant
    /// When the response's headers must be complete.
    let headDeadline: ContinuousClock.Instant
    private let driver: CurlDriver
    private let state: Mutex<TransferState>

    init(_ request: PreparedRequest, deadline: ContinuousClock.Instant, driver: CurlDriver) {
        self.request = request
        self.deadline = deadline
        headDeadline = request.headDeadline.map { min(deadline, ContinuousClock.now + $0) } ?? deadline
        self.driver = driver
        state = Mutex(
            TransferState(
                responseBufferBytes: driver.configuration.responseBufferBytes,
                requestBufferBytes: driver.configuration.requestBufferBytes))
    }

    private func act<Answer: Sendable>(
        _ body: (inout sending TransferState) -> sending (Answer, [TransferState.Action])
    ) -> Answer {
        let (answer, actions) = state.withLock(body)
        actions.forEach(carryOut)
        return answer
    }

    private func act(_ body: (inout sending TransferState) -> sending [TransferState.Action]) {
        state.withLock(body).forEach(carryOut)
    }

    private func carryOut(_ action: TransferState.Action) {
        switch action {
        case .resumeHead(let waiter, let result): waiter.resume(with: result.mapError { $0 })
        case .resumeChunk(let waiter, let result): waiter.resume(with: result.mapError { $0 })
        case .resumeRoom(let waiter, let goOn): waiter.resume(returning: goOn)
        case .tellDriver: driver.post(.resume(self))
        case .remove: driver.post(.remove(self))
        case .cancelProducer(let task): task.cancel()
        }
    }
}

// MARK: - For the tasks

extension Transfer {
    /// Starts the transfer and waits for its head. The task's cancellation ends it.
    func start() async throws -> ResponseHead {
        if case .stream(let length, let chunks) = request.body {
            let task = Task { await pump(chunks, length: length) }
            act { $0.setProducer(task) }
        }
        return try await withTaskCancellationHandler {
            guard driver.post(.start(self)) else {
                finish(.failure(.shutDown))
                throw HTTPClientError.shutDown
            }
            return try await withCheckedThrowingContinuation { waiter in act { $0.awaitHead(waiter) } }
        } onCancel: {
            cancel(.cancelled)
        }
    }

    /// The bytes received since the last call, or `nil` at the end.
    func nextChunk() async throws -> [UInt8]? {
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { waiter in act { $0.awaitChunk(waiter) } }
        } onCancel: {
            cancel(.cancelled)
        }
    }

    /// Ends the transfer from outside of the driver's thread. Nothing happens if it is over and read.
    func cancel(_ error: HTTPClientError) {
        act { state in
            let wasRunning = state.end == nil
            let actions = state.finish(.failure(error), discarding: true)
            return wasRunning ? actions + [.remove] : actions
        }
    }

    /// As ``HTTPClientWithdrawal/withdraw()``.
    func withdraw() -> Bool {
        guard !request.isSecure, driver.configuration.protocolVersion != .http2PriorKnowledge else { return false }
        return driver.post(.withdraw(self))
    }

    private func pump(_ chunks: any AsyncSequence<[UInt8], any Error> & Sendable, length: Int?) async {
        func run(_ chunks: some AsyncSequence<[UInt8], any Error>) async throws {
            var iterator = chunks.makeAsyncIterator()
            var total = 0
            while await hasRoom() {
                guard let chunk = try await iterator.next() else {
                    guard length == nil || total == length else { throw Self.wrongLength }
                    return act { $0.finishProducing(failure: nil) }
                }
                total += chunk.count
                if let length, total > length { throw Self.wrongLength }
                act { $0.produce(chunk) }
            }
        }
        do {
            try await run(chunks)
        } catch {
            let failure =
                error as? HTTPClientError
                ?? HTTPClientError(.requestBodyFailed, "The request's body could not be read.", underlying: error)
            act { $0.finishProducing(failure: failure) }
        }
    }

    private func hasRoom() async -> Bool {
        await withCheckedContinuation { waiter in act { $0.awaitRoom(waiter) } }
    }

    private static let wrongLength = HTTPClientError(
        .requestBodyFailed, "The request's body has another length than declared.")
}

// MARK: - For the driver's thread

extension Transfer {
    var isOver: Bool { state.withLock { $0.end != nil } }
    var producerError: HTTPClientError? { state.withLock { $0.producerError } }
    var paused: (receiving: Bool, sending: Bool) {
        state.withLock { ($0.isReceivingPaused, $0.isSendingPaused) }
    }

    func receive(head: ResponseHead) { act { $0.receive(head: head) } }

    // `bytes` and `buffer` are libcurl's and valid for the length of the call, in which the lock is taken and left.
    func receive(_ bytes: UnsafeRawBufferPointer) -> CurlReception {
        nonisolated(unsafe) let bytes = bytes
        return act { $0.receive(bytes) }
    }

    func fill(_ buffer: UnsafeMutableRawBufferPointer) -> CurlSupply {
        nonisolated(unsafe) let buffer = buffer
        return act { $0.fill(buffer) }
    }

    func finish(_ result: Result<Void, HTTPClientError>) { act { $0.finish(result, discarding: false) } }
}
