import Basics
import Contracts
import Hummingbird
import NIOCore
import ServiceKit

/// The lines of a request's body while it comes: so many together, or fewer after a short pause of the sender, who may wait for answers
/// before sending more.
actor SentLines {
    struct Limits: Sendable {
        /// Of the whole body, blank ones apart.
        var lines = 10_000
        var bytes = 16 << 20
        /// Lines that are given together.
        var together = 100
        /// How long the sender may pause before the lines that have come are given.
        var pause = Duration.milliseconds(20)
        /// How long all pauses of the sender together may be.
        var patience = Duration.seconds(120)
    }

    struct Line: Sendable {
        /// Among all lines, from 1.
        let number: Int
        /// Among those that are not blank, from 0.
        let place: Int
        let bytes: [UInt8]
    }

    private struct Read: Sendable {
        let task: Task<ByteBuffer?, any Error>
        /// Waiters of this may leave while the task goes on.
        let piece: Flight<ByteBuffer?>
    }

    private enum Arrival { case piece(ByteBuffer), end, pause }

    private let pieces: BodyPieces
    private let limits: Limits
    private let sleep: @Sendable (Duration) async throws -> Void
    private var read: Read?
    /// The beginning of a line.
    private var rest: [UInt8] = []
    private var ready: [Line] = []
    private var bytes = 0
    private var number = 0
    private var count = 0
    private var waited = Duration.zero
    private var isEnded = false
    /// Why nothing is taken after what is ready.
    private var fault: ProblemError?

    init(
        _ body: RequestBody, limits: Limits = Limits(),
        sleep: @escaping @Sendable (Duration) async throws -> Void = { try await Task.sleep(for: $0) }
    ) {
        pieces = BodyPieces(body)
        self.limits = limits
        self.sleep = sleep
    }

    /// The number of the line after those that were given.
    var next: Int { ready.first?.number ?? number + 1 }

    /// Lines that are not blank; none at the body's end.
    /// - Throws: `ProblemError` 408 where the sender pauses for too long, 413 and 422 where there is too much or nothing; what is wrong
    ///   with the connection's input.
    func take() async throws -> [Line] {
        reading: while ready.count < limits.together, !isEnded, fault == nil {
            switch try await arrival() {
            case .piece(let piece): add(piece)
            case .end: end()
            case .pause: break reading
            }
        }
        if ready.isEmpty, let fault { throw fault }
        let taken = Array(ready.prefix(limits.together))
        ready.removeFirst(taken.count)
        return taken
    }

    /// Returns when this no longer reads the connection. What the sender has not sent by then is lost.
    func abandon() async {
        guard let read else { return }
        read.task.cancel()
        _ = await read.task.result
    }

    /// While lines are ready, a pause of the sender ends the wait.
    private func arrival() async throws -> Arrival {
        let read = read ?? begin()
        let left = limits.patience - waited
        let start = ContinuousClock.now
        let arrived = try await withTimeLimit(ready.isEmpty ? left : min(limits.pause, left), sleep: sleep) {
            try await read.piece.value
        }
        waited += ContinuousClock.now - start
        guard let arrived else {
            if ready.isEmpty { throw ProblemError.requestTimeout() }
            return .pause
        }
        self.read = nil
        return arrived.map(Arrival.piece) ?? .end
    }

    private func begin() -> Read {
        let task = Task { [pieces] in try await pieces.next() }
        let begun = Read(task: task, piece: Flight({ try await task.value }))
        read = begun
        return begun
    }

    private func add(_ piece: ByteBuffer) {
        bytes += piece.readableBytes
        guard bytes <= limits.bytes else {
            fault = .payloadTooLarge(limit: limits.bytes)
            return
        }
        var (start, search) = (0, rest.count)
        rest.append(contentsOf: piece.readableBytesView)
        while fault == nil, let end = rest[search...].firstIndex(of: UInt8(ascii: "\n")) {
            add(line: rest[start..<end])
            (start, search) = (end + 1, end + 1)
        }
        rest.removeFirst(start)
    }

    private func end() {
        isEnded = true
        add(line: rest[...])
        if count == 0 { fault = tooManyOrNone }
    }

    private func add(line: ArraySlice<UInt8>) {
        let isBlank = line.allSatisfy { $0 == 0x20 || $0 == 0x09 || $0 == 0x0d }
        if !isBlank, count == limits.lines {
            fault = tooManyOrNone
            return
        }
        number += 1
        if isBlank { return }
        ready.append(Line(number: number, place: count, bytes: Array(line)))
        count += 1
    }

    private var tooManyOrNone: ProblemError {
        .validation("", "must have 1 to \(limits.lines) lines, a question on each")
    }
}
