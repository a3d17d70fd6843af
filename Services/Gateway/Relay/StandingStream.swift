import NIOCore
import ServiceKit

/// What of an answer that takes long is passed on: nothing that no recent answer about its reader covers (``Standing``).
///
/// It belongs to the answer's event loop; who must be asked is asked in a task beside.
final class StandingStream {
    private let standing: Standing
    private let exchange: LoopExchange
    private let here: NIOLoopBound<RelayedRequest>
    private let watch: Task<Void, Never>
    private var held: [ByteBuffer] = []
    private var isAsking = false
    private var isEnding = false

    init(_ recheck: @escaping @Sendable () async throws -> Void, _ exchange: LoopExchange, _ request: RelayedRequest) {
        let standing = Standing(recheck: recheck)
        let eventLoop = exchange.channel.eventLoop
        let here = NIOLoopBound(request, eventLoop: eventLoop)
        self.standing = standing
        self.exchange = exchange
        self.here = here
        watch = Task {
            await standing.watch { error in eventLoop.execute { here.value.clientMayNot(error) } }
        }
    }

    /// Whether something waits until it is known that the reader may have it.
    var holds: Bool { isAsking }

    func write(_ piece: ByteBuffer) {
        guard isAsking || !standing.isFresh else { return exchange.write(piece) }
        held.append(piece)
        if !isAsking { ask() }
    }

    /// The answer is whole; its end follows what is held.
    func endIsDue() { isEnding = true }

    func stop() { watch.cancel() }

    private func ask() {
        isAsking = true
        let (standing, here, eventLoop) = (standing, here, exchange.channel.eventLoop)
        let stream = NIOLoopBound(self, eventLoop: eventLoop)
        Task {
            do {
                try await standing.requireFresh()
                eventLoop.execute { stream.value.mayGoOn() }
            } catch {
                eventLoop.execute { here.value.clientMayNot(error) }
            }
        }
    }

    private func mayGoOn() {
        isAsking = false
        for piece in held { exchange.write(piece) }
        held = []
        here.value.clientMayGoOn(isEnd: isEnding)
    }
}
