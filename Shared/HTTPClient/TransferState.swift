/// Where one transfer stands, as a value: what the reader of the response, the producer of the request's body and the
/// driver's thread know of each other. `Transfer` guards it with a lock and carries out the actions outside of it.
struct TransferState {
    typealias HeadWaiter = CheckedContinuation<ResponseHead, any Error>
    typealias ChunkWaiter = CheckedContinuation<[UInt8]?, any Error>
    typealias RoomWaiter = CheckedContinuation<Bool, Never>

    enum Action {
        case resumeHead(HeadWaiter, Result<ResponseHead, HTTPClientError>)
        case resumeChunk(ChunkWaiter, Result<[UInt8]?, HTTPClientError>)
        case resumeRoom(RoomWaiter, Bool)
        /// Tell the driver that a direction that it paused may go on.
        case tellDriver
        /// Tell the driver to take the transfer out.
        case remove
        case cancelProducer(Task<Void, Never>)
    }

    let responseBufferBytes: Int
    let requestBufferBytes: Int

    private var head: Result<ResponseHead, HTTPClientError>?
    private var headWaiter: HeadWaiter?

    private var received: [UInt8] = []
    private var chunkWaiter: ChunkWaiter?
    private(set) var isReceivingPaused = false

    /// How the transfer ended; `nil` while it runs.
    private(set) var end: Result<Void, HTTPClientError>?

    private var toSend: [UInt8] = []
    private var sentOfFirst = 0
    private var producedAll = false
    private var producerFailure: HTTPClientError?
    private var isBodyWanted = false
    private var roomWaiter: RoomWaiter?
    private var producer: Task<Void, Never>?
    private(set) var isSendingPaused = false

    init(responseBufferBytes: Int, requestBufferBytes: Int) {
        self.responseBufferBytes = max(1, responseBufferBytes)
        self.requestBufferBytes = max(1, requestBufferBytes)
    }
}

// MARK: - The response

extension TransferState {
    mutating func awaitHead(_ waiter: HeadWaiter) -> [Action] {
        if let head { return [.resumeHead(waiter, head)] }
        headWaiter = waiter
        return []
    }

    mutating func receive(head: ResponseHead) -> [Action] {
        guard self.head == nil else { return [] }
        self.head = .success(head)
        var actions: [Action] = []
        if let waiter = headWaiter { actions.append(.resumeHead(waiter, .success(head))) }
        headWaiter = nil
        // libcurl stops sending on such an answer, but would wait for ever if the sending is held back just then.
        return head.status >= 300 ? actions + resumeSending() : actions
    }

    /// Takes the bytes for the reader, or holds the peer back when the buffer has no room for them.
    mutating func receive(_ bytes: UnsafeRawBufferPointer) -> (CurlReception, [Action]) {
        guard end == nil else { return (.abort, []) }
        if let waiter = chunkWaiter {
            chunkWaiter = nil
            return (.taken, [.resumeChunk(waiter, .success(Array(bytes)))])
        }
        guard received.isEmpty || received.count + bytes.count <= responseBufferBytes else {
            isReceivingPaused = true
            return (.pause, [])
        }
        received.append(contentsOf: bytes)
        return (.taken, [])
    }

    mutating func awaitChunk(_ waiter: ChunkWaiter) -> [Action] {
        guard chunkWaiter == nil else {
            let error = HTTPClientError(
                .concurrentRead, "A response body is read by one task at a time.", requestMayHaveBeenProcessed: true)
            return [.resumeChunk(waiter, .failure(error))]
        }
        guard received.isEmpty else {
            let chunk = received
            received = []
            return [.resumeChunk(waiter, .success(chunk))] + resumeReceiving()
        }
        switch end {
        case .success: return [.resumeChunk(waiter, .success(nil))]
        case .failure(let error): return [.resumeChunk(waiter, .failure(error))]
        case nil:
            chunkWaiter = waiter
            return resumeReceiving()
        }
    }

    private mutating func resumeReceiving() -> [Action] {
        guard isReceivingPaused else { return [] }
        isReceivingPaused = false
        return end == nil ? [.tellDriver] : []
    }
}

// MARK: - The request's body

extension TransferState {
    /// The task that pulls the body's chunks; cancelled when the transfer ends.
    mutating func setProducer(_ task: Task<Void, Never>) -> [Action] {
        guard end == nil else { return [.cancelProducer(task)] }
        producer = task
        return []
    }

    /// Answers `true` once the peer takes bytes and the buffer has room, `false` once none are wanted any more.
    mutating func awaitRoom(_ waiter: RoomWaiter) -> [Action] {
        if end != nil { return [.resumeRoom(waiter, false)] }
        if isBodyWanted, pendingBytes < requestBufferBytes { return [.resumeRoom(waiter, true)] }
        roomWaiter = waiter
        return []
    }

    mutating func produce(_ chunk: [UInt8]) -> [Action] {
        guard end == nil else { return [] }
        if pendingBytes == 0 {
            toSend = chunk
            sentOfFirst = 0
        } else {
            if sentOfFirst > 0 {
                toSend.removeFirst(sentOfFirst)
                sentOfFirst = 0
            }
            toSend += chunk
        }
        return chunk.isEmpty ? [] : resumeSending()
    }

    /// The stream is at its end, or threw `failure`.
    mutating func finishProducing(failure: HTTPClientError?) -> [Action] {
        producedAll = true
        producerFailure = failure
        return resumeSending()
    }

    /// Copies the next bytes to `buffer`; holds the sending back while there are none.
    mutating func fill(_ buffer: UnsafeMutableRawBufferPointer) -> (CurlSupply, [Action]) {
        isBodyWanted = true
        if end != nil || producerFailure != nil { return (.abort, []) }
        let count = min(pendingBytes, buffer.count)
        if count > 0 {
            toSend.withUnsafeBytes { buffer.copyMemory(from: .init(rebasing: $0[sentOfFirst..<sentOfFirst + count])) }
            sentOfFirst += count
        } else if !producedAll {
            isSendingPaused = true
        }
        var actions: [Action] = []
        if let waiter = roomWaiter, !producedAll, pendingBytes <= requestBufferBytes / 2 {
            roomWaiter = nil
            actions.append(.resumeRoom(waiter, true))
        }
        return (isSendingPaused ? .pause : .bytes(count), actions)
    }

    var producerError: HTTPClientError? { producerFailure }

    private var pendingBytes: Int { toSend.count - sentOfFirst }

    private mutating func resumeSending() -> [Action] {
        guard isSendingPaused else { return [] }
        isSendingPaused = false
        return end == nil ? [.tellDriver] : []
    }
}

// MARK: - The end

extension TransferState {
    /// Ends the transfer, once; what was received before stays readable unless it is `discarded`.
    mutating func finish(_ result: Result<Void, HTTPClientError>, discarding discarded: Bool) -> [Action] {
        guard end == nil else {
            // Cancelled after its last byte had come: nothing is left to stop, and the rest is not wanted either.
            if discarded, case .failure = result, !received.isEmpty {
                received = []
                end = result
            }
            return []
        }
        end = result
        var actions: [Action] = []
        if head == nil {
            // To libcurl a connection that ends within the headers is a response without a body.
            let failure =
                result.failure
                ?? HTTPClientError(
                    .reset, "The server closed the connection before the response was complete.",
                    requestMayHaveBeenProcessed: true)
            head = .failure(failure)
            if let waiter = headWaiter { actions.append(.resumeHead(waiter, .failure(failure))) }
            headWaiter = nil
        }
        if discarded { received = [] }
        if let waiter = chunkWaiter {
            chunkWaiter = nil
            actions.append(.resumeChunk(waiter, result.map { nil }))
        }
        if let waiter = roomWaiter { actions.append(.resumeRoom(waiter, false)) }
        roomWaiter = nil
        if let producer { actions.append(.cancelProducer(producer)) }
        producer = nil
        toSend = []
        sentOfFirst = 0
        return actions
    }
}

extension Result {
    fileprivate var failure: Failure? { if case .failure(let error) = self { error } else { nil } }
}
