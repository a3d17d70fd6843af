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
        var isReading = false
        var isClosed = false
        var closing: CheckedContinuation<Void, Never>?
        var refusal: ProblemError?
    }

    private let body: RequestBody
    private let limitBytes: Int
    private let state = Mutex(State())

    init(_ body: RequestBody, limitBytes: Int) {
        self.body = body
        self.limitBytes = limitBytes
    }

    /// Whether any of it has been asked for: from then on the request cannot be sent a second time.
    var isStarted: Bool { state.withLock { $0.isStarted } }

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
        /// Made at the first piece: a body that was only offered to an address that is gone can be offered to the next.
        private var source: RequestBody.AsyncIterator?
        private var sentBytes = 0

        fileprivate init(upload: Upload) { self.upload = upload }

        mutating func next() async throws -> [UInt8]? {
            guard upload.beginReading() else { throw CancellationError() }
            defer { upload.endReading() }
            var source = source ?? upload.body.makeAsyncIterator()
            let next = try await source.next()
            self.source = source
            guard let buffer = next else { return nil }
            sentBytes += buffer.readableBytes
            guard sentBytes <= upload.limitBytes else {
                let refusal = ProblemError.payloadTooLarge(limit: upload.limitBytes)
                upload.state.withLock { $0.refusal = refusal }
                throw refusal
            }
            return Array(buffer.readableBytesView)
        }
    }
}
