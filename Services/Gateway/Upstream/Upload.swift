import Contracts
import Hummingbird
import NIOCore
import ServiceKit
import Synchronization

/// A client's request body on its way to an upstream: in pieces, as fast as the upstream takes them, up to a limit.
///
/// The connection's input has one reader at a time. The upstream may answer before it has read all of the body; then
/// ``close()`` must be awaited before the response ends, since the server goes on to read the same connection.
final class Upload: Sendable {
    private struct State {
        var isStarted = false
        var isComplete = false
        var isReading = false
        var isClosed = false
        var closing: CheckedContinuation<Void, Never>?
        var refusal: ProblemError?
        var inputFailure: (any Error)?
        var read: Task<ByteBuffer?, any Error>?
    }

    private let source: Source
    private let limitBytes: Int
    private let state = Mutex(State())

    init(_ body: RequestBody, limitBytes: Int) {
        source = Source(body)
        self.limitBytes = limitBytes
    }

    /// Whether any of it has been asked for: from then on the request cannot be sent a second time.
    var isStarted: Bool { state.withLock { $0.isStarted } }

    /// Whether it was begun and has not been read to its end.
    var isCut: Bool { state.withLock { $0.isStarted && !$0.isComplete } }

    /// Whether the upstream has taken all there is so far and the client owes the next piece, or has failed to send it.
    var isClientsTurn: Bool { state.withLock { ($0.isReading || $0.inputFailure != nil) && !$0.isComplete } }

    /// What was wrong with the client's input: a broken chunk, a connection that ended.
    var inputFailure: (any Error)? { state.withLock { $0.inputFailure } }

    /// Why the gateway itself ended it.
    var refusal: ProblemError? { state.withLock { $0.refusal } }

    var chunks: Chunks { Chunks(upload: self) }

    /// Returns when nobody reads the connection for this body any more.
    func close() async {
        await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
            let isIdle = state.withLock { state in
                state.isClosed = true
                if state.isReading { state.closing = continuation }
                return !state.isReading
            }
            if isIdle { continuation.resume() }
        }
    }

    /// ``close()`` without waiting for the client: nothing more can be read from its connection afterwards.
    func abandon() async {
        state.withLock { state in
            state.isClosed = true
            return state.read
        }?.cancel()
        await close()
    }

    private func beginReading() -> Bool {
        state.withLock { state in
            guard !state.isClosed else { return false }
            state.isReading = true
            state.isStarted = true
            return true
        }
    }

    private func endReading() {
        let closing = state.withLock { state in
            state.isReading = false
            defer { state.closing = nil }
            return state.closing
        }
        closing?.resume()
    }

    /// Its pieces; for one reader, once.
    struct Chunks: AsyncSequence, Sendable {
        typealias Element = [UInt8]
        fileprivate let upload: Upload

        func makeAsyncIterator() -> Iterator { Iterator(upload: upload) }
    }

    struct Iterator: AsyncIteratorProtocol {
        fileprivate let upload: Upload
        private var sentBytes = 0

        fileprivate init(upload: Upload) { self.upload = upload }

        mutating func next() async throws -> [UInt8]? {
            guard upload.beginReading() else { throw CancellationError() }
            defer { upload.endReading() }
            let source = upload.source
            // In a task of its own: cancelling a read would end the connection's input, and a client that is still
            // sending would get a reset in place of the answer.
            let read = Task { try await source.next() }
            upload.state.withLock { $0.read = read }
            let piece: ByteBuffer?
            do {
                piece = try await read.value
            } catch {
                upload.state.withLock { $0.inputFailure = error }
                throw error
            }
            guard let buffer = piece else {
                upload.state.withLock { $0.isComplete = true }
                return nil
            }
            sentBytes += buffer.readableBytes
            guard sentBytes <= upload.limitBytes else {
                let refusal = ProblemError.payloadTooLarge(limit: upload.limitBytes)
                upload.state.withLock { $0.refusal = refusal }
                throw refusal
            }
            return Array(buffer.readableBytesView)
        }
    }

    /// The connection's input as this request's body.
    ///
    /// Unchecked: `Upload` lets only one read at a time happen, each after the one before has ended.
    private final class Source: @unchecked Sendable {
        private let body: RequestBody
        /// Made at the first piece: a body that was only offered to an address that is gone can be offered to the next.
        private var iterator: RequestBody.AsyncIterator?

        init(_ body: RequestBody) { self.body = body }

        func next() async throws -> ByteBuffer? {
            var iterator = iterator ?? body.makeAsyncIterator()
            defer { self.iterator = iterator }
            return try await iterator.next()
        }
    }
}
