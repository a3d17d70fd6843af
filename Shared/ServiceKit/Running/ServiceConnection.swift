import HummingbirdCore
package import NIOCore
import NIOHTTPTypes
import Synchronization

/// A client's connection, and those of its channels that the router serves: the connection itself, or its streams (HTTP/2). There are
/// none as long as all requests are answered on the event loop, and a connection that waits holds nothing for them.
package struct ServiceConnection: ServerChildChannelValue {
    package let channel: any Channel
    let routed = RoutedChannels()

    package init(_ channel: any Channel) {
        self.channel = channel
        channel.closeFuture.whenComplete { [routed] _ in routed.finish() }
    }
}

/// Hands channels over from their event loop to the task that serves them.
final class RoutedChannels: Sendable {
    typealias Wrapped = NIOAsyncChannel<HTTPRequestPart, HTTPResponsePart>

    private struct State {
        var waiting: [Wrapped] = []
        var isOver = false
        var reader: CheckedContinuation<Wrapped?, Never>?
    }

    private let state = Mutex(State())

    /// Makes the router the last handler of a channel. Called on its event loop.
    ///
    /// - Parameter isSocket: one side of a socket can be closed, one of a stream cannot.
    func add(_ channel: any Channel, isSocket: Bool) {
        let wrapped = try? Wrapped(
            wrappingChannelSynchronously: channel, configuration: .init(isOutboundHalfClosureEnabled: isSocket))
        guard let wrapped else { return channel.close(promise: nil) }
        let (isTaken, reader) = state.withLock { state in
            guard !state.isOver else { return (false, CheckedContinuation<Wrapped?, Never>?.none) }
            defer { state.reader = nil }
            if state.reader == nil { state.waiting.append(wrapped) }
            return (true, state.reader)
        }
        reader?.resume(returning: wrapped)
        // The owner of a wrapped channel must finish it.
        if !isTaken { Task { try? await wrapped.executeThenClose { _, _ in } } }
    }

    /// The next channel to serve; nil when there will be none any more.
    func next() async -> Wrapped? {
        await withCheckedContinuation { continuation in
            let (isKnown, next) = state.withLock { state -> (Bool, Wrapped?) in
                if !state.waiting.isEmpty { return (true, state.waiting.removeFirst()) }
                if state.isOver { return (true, nil) }
                state.reader = continuation
                return (false, nil)
            }
            if isKnown { continuation.resume(returning: next) }
        }
    }

    func finish() {
        let reader = state.withLock { state in
            state.isOver = true
            defer { state.reader = nil }
            return state.reader
        }
        reader?.resume(returning: nil)
    }
}
