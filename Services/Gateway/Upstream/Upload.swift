import Contracts
import HTTPClient
import Hummingbird
import NIOCore
import ServiceKit
import Synchronization

/// A client's request body on its way to an upstream: in pieces, as fast as the upstream takes them, up to a limit and not slower
/// than a rate.
///
/// The first piece is read before an upstream is chosen, so that a client that sends nothing holds no upstream connection. The
/// end is passed on only while the sender is authorised: the upstream commits complete bodies. A complete one that the upstream has may
/// have been carried out, whatever becomes of the sender's access then: the upstream is told that it is taken back, and its answer says
/// what was done.
///
/// The connection's input has one reader at a time. The upstream may answer before it has read all of the body; then
/// ``close()`` must be awaited before the response ends, since the server goes on to read the same connection.
final class Upload: Sendable {
    private struct State {
        /// Read already and not yet passed on.
        var first: ByteBuffer?
        /// An upstream has got some of it.
        var isStarted = false
        /// An upstream has got all of it.
        var isHandedOver = false
        /// The status of the upstream's answer.
        var answered: Int?
        var isComplete = false
        var isReading = false
        var isClosed = false
        var pace: BodyPace
        var closing: CheckedContinuation<Void, Never>?
        var refusal: ProblemError?
        var inputFailure: (any Error)?
        var read: Task<ByteBuffer?, any Error>?
    }

    /// How long the answer to an upload that is taken back is waited for.
    private static let patience = Duration.seconds(3)

    private let source: BodyPieces
    private let length: Int?
    private let limitBytes: Int
    private let standing: Standing?
    private let state: Mutex<State>
    /// Of the request to the upstream; nil on public routes.
    let withdrawal: HTTPClientWithdrawal?

    /// - Parameters:
    ///   - length: as the sender states it; nil: the sender does not.
    ///   - standing: checked while the body comes and before its end is passed on; nil on public routes.
    init(
        _ body: RequestBody, length: Int? = nil, limitBytes: Int, rate: BodyRate = .standard,
        standing: Standing? = nil
    ) {
        source = BodyPieces(body)
        self.length = length
        self.limitBytes = limitBytes
        self.standing = standing
        withdrawal = standing.map { _ in HTTPClientWithdrawal() }
        state = Mutex(State(pace: BodyPace(rate)))
    }

    /// Whether any of it has been passed on: from then on the request cannot be sent a second time.
    var isStarted: Bool { state.withLock { $0.isStarted } }

    /// Whether it was begun and has not been read to its end.
    var isCut: Bool { state.withLock { ($0.isStarted || $0.first != nil) && !$0.isComplete } }

    /// Whether the upstream has taken all there is so far and the client owes the next piece, or has failed to send it.
    var isClientsTurn: Bool { state.withLock { ($0.isReading || $0.inputFailure != nil) && !$0.isComplete } }

    /// Whether a failure says nothing of the upstream: it was the client's turn, or the client has taken so much of the route's time for
    /// its body that the upstream had little left. On a streaming route only the upstream's own silence counts.
    func excuses(_ error: HTTPClientError, on route: Route) -> Bool {
        if isClientsTurn { return true }
        return error.code == .timedOut && !route.isStreaming
            && state.withLock { $0.pace.waited > route.timeout / 2 }
    }

    /// What was wrong with the client's input: a broken chunk, a connection that ended.
    var inputFailure: (any Error)? { state.withLock { $0.inputFailure } }

    /// The upstream has answered.
    ///
    /// - Throws: why it was taken back, unless the answer says that it was carried out.
    func answered(_ status: Int) throws {
        let isHandedOver = state.withLock { state in
            state.answered = status
            return state.isHandedOver
        }
        if isHandedOver, let refusal { throw refusal }
    }

    /// Why the gateway itself ended it; nil when it has not, or the upstream has carried it out all the same.
    var refusal: ProblemError? {
        let (refusal, isHandedOver, answered) = state.withLock { ($0.refusal, $0.isHandedOver, $0.answered) }
        guard var refusal, isHandedOver else { return refusal }
        switch answered ?? 0 {
        case 200..<300: return nil
        case 400..<500: break
        default: refusal.sentence += " All of the request had been sent by then: look whether it was carried out."
        }
        return refusal
    }

    var chunks: Chunks { Chunks(upload: self) }

    /// Reads the first piece.
    ///
    /// - Throws: ``ProblemError`` 408 from a client that sends none, and what is wrong with its input.
    func begin() async throws {
        watchPace()
        let piece = try await read()
        state.withLock { state in
            state.first = piece
            if piece == nil { state.isComplete = true }
        }
    }

    /// Ends a body that comes too slowly; runs until the body has come or is no longer wanted.
    private func watchPace() {
        Task { [weak self] in
            while let pause = self?.nextLook {
                try? await Task.sleep(for: pause)
                self?.refuseIfTooSlow()
            }
        }
    }

    /// When to look at the pace again; nil when there is nothing more to look at.
    private var nextLook: Duration? {
        state.withLock { $0.isComplete || ($0.isClosed && !$0.isReading) ? nil : $0.pace.pause }
    }

    private func refuseIfTooSlow() {
        let read: Task<ByteBuffer?, any Error>? = state.withLock { state in
            guard state.refusal == nil, state.pace.isTooSlow(now: .now) else { return nil }
            state.refusal = .requestTimeout()
            return state.read
        }
        read?.cancel()
    }

    /// The sender is no longer authorised; the body that the upstream has received stays incomplete, or is taken back.
    ///
    /// - Returns: how long the upstream's answer is waited for.
    func refuse(_ error: any Error) -> Duration {
        let refusal = error as? ProblemError ?? .permissionsUnavailable(cause: error)
        let isHandedOver = state.withLock { state in
            state.refusal = state.refusal ?? refusal
            return state.isHandedOver
        }
        return isHandedOver && withdrawal?.withdraw() == true ? Self.patience : .zero
    }

    /// Returns when this body no longer reads the connection.
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
            guard !state.isClosed, state.refusal == nil else { return false }
            state.isReading = true
            state.pace.waits(since: .now)
            return true
        }
    }

    private func endReading(_ piece: ByteBuffer?) {
        let closing = state.withLock { state in
            state.isReading = false
            state.pace.received(piece?.readableBytes ?? 0, now: .now)
            defer { state.closing = nil }
            return state.closing
        }
        closing?.resume()
    }

    /// The next piece of the connection's input.
    private func read() async throws -> ByteBuffer? {
        guard beginReading() else { throw refusal ?? CancellationError() }
        // In a task of its own: cancelling a read would end the connection's input, and a client that is still
        // sending would get a reset in place of the answer.
        let read = Task { [source] in try await source.next() }
        state.withLock { $0.read = read }
        do {
            let piece = try await read.value
            endReading(piece)
            return piece
        } catch {
            endReading(nil)
            if let refusal { throw refusal }
            state.withLock { $0.inputFailure = error }
            throw error
        }
    }

    /// The next piece for an upstream.
    private func next(after sentBytes: inout Int) async throws -> [UInt8]? {
        let (first, isComplete, isHandedOver) = state.withLock { state in
            defer { state.first = nil }
            state.isStarted = true
            return (state.first, state.isComplete, state.isHandedOver)
        }
        var piece = first
        if piece == nil, !isComplete { piece = try await read() }
        sentBytes += piece?.readableBytes ?? 0
        // The upstream needs no end of a body whose length it was told.
        let isAll = piece == nil || sentBytes == length
        if !isHandedOver {
            do {
                try await (isAll ? standing?.require() : standing?.requireFresh())
            } catch {
                _ = refuse(error)
                throw error
            }
        }
        guard sentBytes <= limitBytes else {
            let refusal = ProblemError.payloadTooLarge(limit: limitBytes)
            state.withLock { $0.refusal = refusal }
            throw refusal
        }
        state.withLock { state in
            if isAll { state.isHandedOver = true }
            if piece == nil { state.isComplete = true }
        }
        return piece.map { Array($0.readableBytesView) }
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

        mutating func next() async throws -> [UInt8]? { try await upload.next(after: &sentBytes) }
    }
}
