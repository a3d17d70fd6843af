package import HTTPTypes
package import HummingbirdCore
package import Logging
package import NIOCore
import NIOHTTP1

/// What requests come over.
package struct Transport: Sendable {
    /// `https` where the connection is encrypted.
    package var scheme: String
    /// What every answer says beside its own fields.
    package var fields: HTTPFields

    package init(scheme: String = "http", fields: HTTPFields = [:]) {
        self.scheme = scheme
        self.fields = fields
    }
}

/// A client's connection. Between its socket and the handler that answers stand, in this order:
///
/// - ``RequestBytes``: lets one request in at a time;
/// - NIO's HTTP/1.1 codec, with the limits of heads;
/// - ``MessageFraming``: what a head says of its message and its connection;
/// - ``ConnectionGuard``: bounds and refusals, and the end of each request;
/// - Hummingbird's idle timeout, which also lets a connection end when the server is being stopped;
/// - ``RequestFork``: whether a request is answered on this event loop;
/// - the router, from the first request that it answers.
///
/// A stream of HTTP/2 is a channel of its own, for one request: ``StreamGuard`` stands there for the first four. A service that takes
/// such connections puts what decodes them in front (``ServiceApplication/listener``).
package struct ServiceChannel: HTTPChannelHandler {
    package typealias Value = ServiceConnection

    package let responder: Responder
    let frame: RequestFrame
    let onLoop: (any LoopResponder)?
    /// The longest head of a request.
    package let headerBytes: Int
    package let idleTimeout: Duration

    /// The most fields of a request.
    package static let headerCount = 100

    /// How long a client may leave a ready answer unread.
    package var writeTimeout: Duration { frame.connections.limits.writeTimeout }

    package func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<ServiceConnection> {
        channel.eventLoop.makeCompletedFuture {
            let connection = ServiceConnection(channel)
            // A client that lags behind takes all that is ready before more is made ready: the relay then reads on into the same memory.
            try channel.syncOptions?.setOption(.writeBufferWaterMark, value: .init(low: 1, high: 64 * 1024))
            try addRequests(to: channel, of: connection, over: Transport(), isAdmitted: admit(channel), logger)
            return connection
        }
    }

    /// Counts a connection until it ends; false when its client has too many.
    package func admit(_ channel: any Channel) -> Bool { frame.connections.admit(channel) }

    /// Adds what reads and answers HTTP/1.1.
    ///
    /// - Parameter isAdmitted: a connection that is not is closed once it is open.
    package func addRequests(
        to channel: any Channel, of connection: ServiceConnection, over transport: Transport, isAdmitted: Bool,
        _ logger: Logger
    ) throws {
        var limits = NIOHTTPDecoderLimitConfiguration()
        limits.maxHeaderFieldSize = headerBytes
        limits.maxHeaderListSize = headerBytes
        limits.maxHeaderFieldCount = Self.headerCount
        let (bytes, framing) = (RequestBytes(), MessageFraming(scheme: transport.scheme))
        let guarding = ConnectionGuard(
            frame.connections, bytes, framing, isAdmitted: isAdmitted, fields: transport.fields)
        let pipeline = channel.pipeline.syncOperations
        try pipeline.addHandler(bytes)
        try pipeline.configureHTTPServerPipeline(
            withPipeliningAssistance: false, withErrorHandling: false, withOutboundHeaderValidation: false,
            withEncoderConfiguration: .init(), withDecoderLimitConfiguration: limits)
        try pipeline.addHandlers([
            framing, guarding, HTTPConnectionStateHandler(idleTimeout: idleTimeout, logger: logger),
            RequestFork(frame, guarding, connection, isSocket: true, onLoop, logger),
        ])
    }

    /// Adds what answers the request of one stream, behind what makes `HTTPRequestPart`s of its frames.
    package func addStream(
        to channel: any Channel, of connection: ServiceConnection, over transport: Transport, _ logger: Logger
    ) throws {
        let guarding = StreamGuard(frame.connections, fields: transport.fields)
        try channel.pipeline.syncOperations.addHandlers([
            guarding, HTTPConnectionStateHandler(idleTimeout: idleTimeout, logger: logger),
            RequestFork(frame, guarding, connection, isSocket: false, onLoop, logger),
        ])
    }

    package func handle(value: ServiceConnection, logger: Logger) async {
        await withTaskCancellationHandler {
            await withDiscardingTaskGroup { group in
                while let channel = await value.routed.next() {
                    group.addTask { await handleHTTP(asyncChannel: channel, logger: logger) }
                }
            }
        } onCancel: {
            value.routed.finish()
        }
        value.channel.close(promise: nil)
    }
}

extension HTTPServerBuilder {
    /// HTTP/1.1 as all services speak it, or what `listener` makes of it.
    static func guarded(
        _ frame: RequestFrame, onLoop: (any LoopResponder)? = nil, headerBytes: Int = 32_768,
        idleTimeout: Duration = .seconds(60),
        listener: (@Sendable (ServiceChannel) -> any ServerChildChannel)? = nil
    ) -> HTTPServerBuilder {
        HTTPServerBuilder { responder in
            let channel = ServiceChannel(
                responder: responder, frame: frame, onLoop: onLoop, headerBytes: headerBytes, idleTimeout: idleTimeout)
            return listener?(channel) ?? channel
        }
    }
}
