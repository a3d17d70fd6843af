package import NIOCore

/// Tells when the client of a connection has gone, so that what is under way for it upstream can be ended at once instead
/// of at the next byte that cannot be delivered.
///
/// It stays in the connection's pipeline and serves one request after the other. Hummingbird's own way to notice
/// (`consumeWithInboundCloseHandler`) costs the connection its keep-alive.
package final class HangUpWatch: ChannelInboundHandler, RemovableChannelHandler {
    package typealias InboundIn = NIOAny

    private var action: (@Sendable () -> Void)?
    private var isGone = false

    /// Calls `action` when the client goes (at once if it has gone) until ``ignore(_:)``.
    package static func observe(_ channel: any Channel, _ action: @escaping @Sendable () -> Void) {
        channel.eventLoop.execute {
            let pipeline = channel.pipeline.syncOperations
            if let watch = try? pipeline.handler(type: HangUpWatch.self) { return watch.set(action) }
            let watch = HangUpWatch()
            watch.isGone = !channel.isActive
            // A pipeline that takes no handlers any more is a connection that is closing.
            guard (try? pipeline.addHandler(watch, position: .first)) != nil else { return action() }
            watch.set(action)
        }
    }

    package static func ignore(_ channel: any Channel) {
        channel.eventLoop.execute {
            try? channel.pipeline.syncOperations.handler(type: HangUpWatch.self).action = nil
        }
    }

    private func set(_ action: @escaping @Sendable () -> Void) {
        if isGone { action() } else { self.action = action }
    }

    private func gone() {
        isGone = true
        action?()
        action = nil
    }

    package func channelInactive(context: ChannelHandlerContext) {
        gone()
        context.fireChannelInactive()
    }

    /// The client has closed its side. Some close only their sending side and go on reading; like other proxies we take
    /// that for a hang-up.
    package func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case ChannelEvent.inputClosed? = event as? ChannelEvent { gone() }
        context.fireUserInboundEventTriggered(event)
    }
}

/// Runs `operation` and cancels it when the client of `channel` hangs up.
///
/// - Parameter channel: nil for what is carried out to the end although its client hangs up.
/// - Throws: what `operation` throws; once cancelled, that is a cancellation.
package func withHangUpCancelling<Value: Sendable>(
    _ channel: (any Channel)?, _ operation: @escaping @Sendable () async throws -> Value
) async throws -> Value {
    guard let channel else { return try await operation() }
    let task = Task { try await operation() }
    HangUpWatch.observe(channel) { task.cancel() }
    defer { HangUpWatch.ignore(channel) }
    return try await withTaskCancellationHandler {
        try await task.value
    } onCancel: {
        task.cancel()
    }
}
