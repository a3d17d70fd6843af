import NIOCore
import ServiceKit

/// What of an answer that takes long is passed on: nothing that no recent answer about its reader covers (``Standing``).
///
/// It belongs to the answer's event loop; who must be asked is asked in a task beside. An answer that is over within ``Standing/pause``
/// needs no task, and with it no other thread.
final class StandingStream: LoopTimed {
    private let standing: Standing
    private let exchange: LoopExchange
    private let request: RelayedRequest
    private let connections: LoopConnections
    /// Tells when the last answer about the reader covers nothing more; nil once the stream is over.
    private var timer: LoopTimer?
    private var held: [ByteBuffer] = []
    private var isAsking = false
    private var isEnding = false

    init(
        _ recheck: @escaping @Sendable () async throws -> Void, _ exchange: LoopExchange, _ request: RelayedRequest,
        _ connections: LoopConnections
    ) {
        standing = Standing(recheck: recheck)
        self.exchange = exchange
        self.request = request
        self.connections = connections
        timer = connections.timer()
        timer?.owner = self
        timer?.start(Standing.pause)
    }

    /// Whether something waits until it is known that the reader may have it.
    var holds: Bool { !held.isEmpty }

    func write(_ piece: ByteBuffer) {
        guard holds || !standing.isFresh else { return exchange.write(piece) }
        held.append(piece)
        ask()
    }

    /// The answer is whole; its end follows what is held.
    func endIsDue() { isEnding = true }

    func stop() {
        if let timer { connections.give(timer) }
        timer = nil
    }

    /// Also while nothing is sent.
    func timeIsOver() { ask() }

    private func ask() {
        guard !isAsking else { return }
        isAsking = true
        let (standing, eventLoop) = (standing, exchange.channel.eventLoop)
        let here = NIOLoopBound(self, eventLoop: eventLoop)
        Task {
            do {
                try await standing.requireFresh()
                eventLoop.execute { here.value.mayGoOn() }
            } catch {
                eventLoop.execute { here.value.mayNot(error) }
            }
        }
    }

    private func mayGoOn() {
        guard let timer else { return }
        isAsking = false
        timer.start(Standing.pause)
        guard holds else { return }
        for piece in held { exchange.write(piece) }
        held = []
        request.clientMayGoOn(isEnd: isEnding)
    }

    private func mayNot(_ error: any Error) {
        guard timer != nil else { return }
        request.clientMayNot(error)
    }
}
