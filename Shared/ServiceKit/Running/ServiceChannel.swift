import HTTPTypes
import HummingbirdCore
import Logging
import NIOCore
import NIOHTTP1
import NIOHTTPTypes

/// A client's connection. Between its socket and whoever answers stand, in this order:
///
/// - ``RequestBytes``: lets one request in at a time;
/// - NIO's HTTP/1.1 codec, with the limits of heads;
/// - ``MessageFraming``: what a head says of its message and its connection;
/// - ``ConnectionGuard``: bounds and refusals, and the end of each request;
/// - Hummingbird's idle timeout, which also lets a connection end when the server is being stopped;
/// - ``RequestFork``: whether a request is answered on this event loop;
/// - the router, in one task a connection.
struct ServiceChannel: HTTPChannelHandler {
    typealias Value = NIOAsyncChannel<HTTPRequestPart, HTTPResponsePart>

    let responder: Responder
    let frame: RequestFrame
    let onLoop: (any LoopResponder)?
    let headerBytes: Int
    let idleTimeout: Duration

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
        channel.eventLoop.makeCompletedFuture {
            var limits = NIOHTTPDecoderLimitConfiguration()
            limits.maxHeaderFieldSize = headerBytes
            limits.maxHeaderListSize = headerBytes
            limits.maxHeaderFieldCount = 100
            let (bytes, framing) = (RequestBytes(), MessageFraming())
            let guarding = ConnectionGuard(frame.connections, bytes, framing)
            let pipeline = channel.pipeline.syncOperations
            try pipeline.addHandler(bytes)
            try pipeline.configureHTTPServerPipeline(
                withPipeliningAssistance: false, withErrorHandling: false, withOutboundHeaderValidation: false,
                withEncoderConfiguration: .init(), withDecoderLimitConfiguration: limits)
            try pipeline.addHandlers([
                framing, guarding, HTTPConnectionStateHandler(idleTimeout: idleTimeout, logger: logger),
                RequestFork(frame, guarding, onLoop, logger),
            ])
            return try NIOAsyncChannel(
                wrappingChannelSynchronously: channel, configuration: .init(isOutboundHalfClosureEnabled: true))
        }
    }

    func handle(value: Value, logger: Logger) async { await handleHTTP(asyncChannel: value, logger: logger) }
}

extension HTTPServerBuilder {
    /// HTTP/1.1 as all services speak it.
    static func guarded(
        _ frame: RequestFrame, onLoop: (any LoopResponder)? = nil, headerBytes: Int = 32_768,
        idleTimeout: Duration = .seconds(60)
    ) -> HTTPServerBuilder {
        HTTPServerBuilder { responder in
            ServiceChannel(
                responder: responder, frame: frame, onLoop: onLoop, headerBytes: headerBytes, idleTimeout: idleTimeout)
        }
    }
}
