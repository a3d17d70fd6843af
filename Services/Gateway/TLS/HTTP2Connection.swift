import NIOCore
import NIOHPACK
import NIOHTTP2

/// The end of a connection of HTTP/2 and the bounds of its streams, beside those that NIO keeps: floods of resets (CVE-2023-44487), of
/// resets that a client provokes (CVE-2025-8671), of pings and settings, of continuations and of empty frames end the connection.
///
/// - Streams beyond the limit are refused in such a way that the client may send them again.
/// - A connection without streams ends after the idle time, one whose client reads nothing after the write timeout.
/// - When the server is being stopped the client gets GOAWAY first; open streams continue to their end.
final class HTTP2Connection: ChannelDuplexHandler {
    typealias InboundIn = HTTP2Frame
    typealias InboundOut = HTTP2Frame
    typealias OutboundIn = HTTP2Frame
    typealias OutboundOut = HTTP2Frame

    struct Limits: Sendable {
        /// At a time.
        var streams = 100
        /// Streams that are refused within ``window`` before the client is taken for one that means no good.
        var refusals = 2000
        /// Of resets, of errors of streams, and of pings, settings and priorities, within ``window``.
        var floods = 200
        var window = TimeAmount.seconds(30)

        func configuration(headerBytes: Int) -> NIOHTTP2Handler.Configuration {
            var configuration = NIOHTTP2Handler.Configuration()
            configuration.connection.initialSettings = [
                HTTP2Setting(parameter: .maxConcurrentStreams, value: streams),
                HTTP2Setting(parameter: .maxHeaderListSize, value: headerBytes),
            ]
            configuration.connection.maximumBufferedControlFrames = 1000
            configuration.connection.controlFrameRateLimit.maximumCount = floods
            configuration.connection.controlFrameRateLimit.windowLength = window
            // What a client may send ahead: little for one stream, and not much more for all of them.
            configuration.connection.targetWindowSize = 256 * 1024
            configuration.stream.targetWindowSize = 128 * 1024
            configuration.stream.outboundBufferSizeHighWatermark = 64 * 1024
            configuration.stream.outboundBufferSizeLowWatermark = 32 * 1024
            configuration.stream.streamResetFrameRateLimit.maximumCount = floods
            configuration.stream.streamResetFrameRateLimit.windowLength = window
            configuration.stream.streamErrorRateLimit.maximumCount = floods
            configuration.stream.streamErrorRateLimit.windowLength = window
            return configuration
        }
    }

    /// Long enough for what the client has sent meanwhile, should it not answer a ping.
    private static let farewell = TimeAmount.seconds(1)

    private let limits: Limits
    private let idleTimeout: TimeAmount
    private let writeTimeout: TimeAmount
    private var context: ChannelHandlerContext?
    private var open = 0
    private var last = HTTP2StreamID.rootStream
    private var isIdleSince = NIODeadline.now()
    private var refusals = 0
    private var refusalsSince = NIODeadline.now()
    /// GOAWAY has been sent; once the client must have it, the connection ends with its last stream.
    private var isDraining = false
    private var isLeaving = false
    private var isBroken = false
    private var idle: Scheduled<Void>?
    private var stalled: Scheduled<Void>?

    init(_ limits: Limits, idleTimeout: Duration, writeTimeout: Duration) {
        self.limits = limits
        self.idleTimeout = TimeAmount(idleTimeout)
        self.writeTimeout = TimeAmount(writeTimeout)
    }

    // MARK: streams

    /// Tells of streams that are made and closed; belongs to the connection's event loop like all of it.
    struct Streams: NIOHTTP2StreamDelegate {
        let connection: NIOLoopBound<HTTP2Connection>

        func streamCreated(_ id: HTTP2StreamID, channel: any Channel) { connection.value.last = id }

        func streamClosed(_ id: HTTP2StreamID, channel: any Channel) {}
    }

    /// Whether a new stream is served; false for one that is to be refused.
    func admit(_ stream: any Channel) -> Bool {
        guard open < limits.streams else {
            refused()
            return false
        }
        open += 1
        stream.closeFuture.assumeIsolated().whenComplete { _ in self.ended() }
        return true
    }

    private func ended() {
        open -= 1
        guard open == 0 else { return }
        isIdleSince = .now()
        if isLeaving { context?.close(promise: nil) }
    }

    private func refused() {
        let now = NIODeadline.now()
        if now - refusalsSince > limits.window { (refusals, refusalsSince) = (0, now) }
        refusals += 1
        guard refusals > limits.refusals else { return }
        sayGoodbye(.enhanceYourCalm, last)
        context?.close(promise: nil)
    }

    // MARK: the connection

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        isIdleSince = .now()
        lookIn(idleTimeout, context)
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        idle?.cancel()
        stalled?.cancel()
        self.context = nil
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if case .ping(_, ack: true) = unwrapInboundIn(data).payload, isDraining { leave() }
        context.fireChannelRead(data)
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch event {
        case is ChannelShouldQuiesceEvent: drain()
        case ChannelEvent.inputClosed as ChannelEvent: context.close(promise: nil)
        default: context.fireUserInboundEventTriggered(event)
        }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable {
            stalled?.cancel()
            stalled = nil
        } else if stalled == nil {
            let channel = context.channel
            stalled = context.eventLoop.scheduleTask(in: writeTimeout) { channel.close(promise: nil) }
        }
        context.fireChannelWritabilityChanged()
    }

    /// Ends the connection after a malformed frame, even one that concerns a single stream only (RFC 9113 §5.4.1): NIO does not
    /// distinguish the two, and no well-behaved client sends either. After a flood NIO has sent GOAWAY already.
    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // What is written now may be an error as well.
        guard !isBroken else { return }
        isBroken = true
        sayGoodbye(.protocolError, last)
        context.close(promise: nil)
    }

    private func lookIn(_ time: TimeAmount, _ context: ChannelHandlerContext) {
        idle = context.eventLoop.assumeIsolated().scheduleTask(in: time) { [weak self] in self?.look(context) }
    }

    private func look(_ context: ChannelHandlerContext) {
        let left = open > 0 ? idleTimeout : isIdleSince + idleTimeout - .now()
        if left > .nanoseconds(0) { lookIn(left, context) } else { drain() }
    }

    /// Requests that are on their way here are still taken: the client cannot have known.
    private func drain() {
        guard let context, !isDraining else { return }
        isDraining = true
        sayGoodbye(.noError, .maxID)
        context.writeAndFlush(
            wrapOutboundOut(
                HTTP2Frame(streamID: .rootStream, payload: .ping(HTTP2PingData(withInteger: 0), ack: false))),
            promise: nil)
        context.eventLoop.assumeIsolated().scheduleTask(in: Self.farewell) { [weak self] in self?.leave() }
    }

    private func leave() {
        guard let context, !isLeaving else { return }
        isLeaving = true
        sayGoodbye(.noError, last)
        if open == 0 { context.close(promise: nil) }
    }

    private func sayGoodbye(_ reason: HTTP2ErrorCode, _ last: HTTP2StreamID) {
        guard let context else { return }
        let payload = HTTP2Frame.FramePayload.goAway(lastStreamID: last, errorCode: reason, opaqueData: nil)
        context.writeAndFlush(wrapOutboundOut(HTTP2Frame(streamID: .rootStream, payload: payload)), promise: nil)
    }
}

/// Refuses a stream whose request has not been processed: the client may send it again (RFC 9113 §8.7).
final class RefusedStream: ChannelInboundHandler {
    typealias InboundIn = HTTP2Frame.FramePayload
    typealias OutboundOut = HTTP2Frame.FramePayload

    private var isRefused = false

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isRefused else { return }
        isRefused = true
        context.writeAndFlush(wrapOutboundOut(.rstStream(.refusedStream)), promise: nil)
    }
}
