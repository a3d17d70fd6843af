import Basics
import Glibc
import HTTPClient
import NIOCore
import NIOPosix

/// The connections of one event loop to the nodes of the upstreams, which belong to the loop as this does, and
/// what else its requests share.
final class LoopConnections {
    /// So many wait for a next request, of each node.
    private static let mostIdle = 256
    /// For so long; less than the services, which close idle connections after 60 s.
    private static let longestIdle = TimeAmount.seconds(15)
    private static let pause = TimeAmount.seconds(5)
    /// How much is read of an answer at once, at least and at most. It is read while the client leaves no more than 64 KiB of it
    /// unread, so that no more than those and one read wait for a client.
    static let readBytes = 16 * 1024...256 * 1024

    private let eventLoop: any EventLoop
    private var idle: [String: [UpstreamConnection]] = [:]
    private var timers: [LoopTimer] = []
    /// Of clients, by their text: a connection's requests all come from one.
    private var addresses = RecentEntries<String, ClientAddress>(maximumCount: 4_096)
    private var isSweeping = false
    private var isClosed = false

    init(_ eventLoop: any EventLoop) { self.eventLoop = eventLoop }

    /// A connection that waits for a request; the one used last, so that those beyond need grow old.
    func take(_ node: String) -> UpstreamConnection? {
        while let connection = idle[node]?.popLast() {
            if connection.isOpen { return connection }
        }
        return nil
    }

    func open(_ node: String, _ address: SocketAddress, within time: TimeAmount) -> EventLoopFuture<any Channel> {
        let here = NIOLoopBound(self, eventLoop: eventLoop)
        // Few large pieces: each has to go through two pipelines.
        return ClientBootstrap(group: eventLoop).connectTimeout(time)
            .channelOption(.maxMessagesPerRead, value: 1)
            .channelOption(
                .recvAllocator,
                value: AdaptiveRecvByteBufferAllocator(
                    minimum: Self.readBytes.lowerBound, initial: Self.readBytes.lowerBound,
                    maximum: Self.readBytes.upperBound)
            )
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandlers(UpstreamConnection.pipeline(node, here.value))
                }
            }
            .connect(to: address)
    }

    func give(_ connection: UpstreamConnection) {
        guard !isClosed, idle[connection.node, default: []].count < Self.mostIdle else { return connection.close() }
        connection.idleSince = .now()
        idle[connection.node, default: []].append(connection)
        sweepSoon()
    }

    func address(_ text: String) -> ClientAddress? {
        if let known = addresses.use(text) { return known }
        guard let address = ClientAddress(text) else { return nil }
        addresses.insert(address, for: text)
        return address
    }

    /// A timer that measures nothing.
    func timer() -> LoopTimer { timers.popLast() ?? LoopTimer(eventLoop) }

    func give(_ timer: LoopTimer) {
        timer.stop()
        timer.owner = nil
        timers.append(timer)
    }

    /// It has ended.
    func remove(_ connection: UpstreamConnection) { idle[connection.node]?.removeAll { $0 === connection } }

    /// Ends those that wait, and from now on each after its request.
    func close() {
        isClosed = true
        for connection in idle.values.joined() { connection.close() }
        idle = [:]
    }

    private func sweepSoon() {
        guard !isSweeping else { return }
        isSweeping = true
        eventLoop.assumeIsolated().scheduleTask(in: Self.pause) { self.sweep() }
    }

    private func sweep() {
        isSweeping = false
        let oldest = NIODeadline.now() - Self.longestIdle
        for (node, waiting) in idle {
            let kept = waiting.filter { $0.isOpen && $0.idleSince > oldest }
            for connection in waiting where connection.idleSince <= oldest { connection.close() }
            idle[node] = kept.isEmpty ? nil : kept
        }
        if !idle.isEmpty { sweepSoon() }
    }
}

extension HTTPClientError {
    /// Why no connection was made. Nothing was sent.
    init(connecting error: any Error) {
        let code: Code =
            switch error {
            case let error as IOError where error.errnoCode == ECONNREFUSED: .connectionRefused
            case ChannelError.connectTimeout: .connectTimedOut
            default: .unreachable
            }
        self.init(code, "The server could not be reached.", detail: String(reflecting: error))
    }
}
