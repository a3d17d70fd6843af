import HummingbirdCore
import Logging
import NIOCore
import NIOHTTP2
import NIOHTTPTypesHTTP2
import NIOSSL
import NIOTLS
import ServiceKit

/// A client's connection by TLS, which carries HTTP/2 or HTTP/1.1 as the client chooses (ALPN). What stands behind, from the bounds of a
/// request to the relay, is the same for both, and the same as without TLS.
struct SecureChannel: ServerChildChannel {
    /// A client that has not finished its handshake by then will not.
    static let handshakeTime = TimeAmount.seconds(10)

    let requests: ServiceChannel
    let certificates: Certificates
    let transport: Transport
    let limits: HTTP2Connection.Limits

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<ServiceConnection> {
        channel.eventLoop.makeCompletedFuture {
            let connection = ServiceConnection(channel)
            let pipeline = channel.pipeline.syncOperations
            // Before the handshake, which costs more than all the rest.
            guard requests.admit(channel) else {
                try pipeline.addHandler(RefusedConnection())
                return connection
            }
            let late = channel.eventLoop.scheduleTask(in: Self.handshakeTime) { channel.close(promise: nil) }
            channel.closeFuture.whenComplete { _ in late.cancel() }
            let negotiation = ApplicationProtocolNegotiationHandler { result, channel in
                late.cancel()
                return channel.eventLoop.makeCompletedFuture {
                    if result == .negotiated("h2") {
                        try addStreams(to: channel, of: connection, logger)
                    } else {
                        try requests.addRequests(
                            to: channel, of: connection, over: transport, isAdmitted: true, logger)
                    }
                }
            }
            try pipeline.addHandlers([
                NIOSSLServerHandler(context: certificates.context), BrokenTransport(), negotiation,
            ])
            return connection
        }
    }

    func handle(value: ServiceConnection, logger: Logger) async { await requests.handle(value: value, logger: logger) }

    private func addStreams(to channel: any Channel, of connection: ServiceConnection, _ logger: Logger) throws {
        let http2 = HTTP2Connection(limits, idleTimeout: requests.idleTimeout, writeTimeout: requests.writeTimeout)
        let configuration = limits.configuration(headerBytes: requests.headerBytes)
        let here = NIOLoopBound(http2, eventLoop: channel.eventLoop)
        _ = try channel.pipeline.syncOperations.configureHTTP2Pipeline(
            mode: .server, connectionConfiguration: configuration.connection,
            streamConfiguration: configuration.stream, streamDelegate: HTTP2Connection.Streams(connection: here)
        ) { stream in
            stream.eventLoop.makeCompletedFuture {
                guard here.value.admit(stream) else {
                    return try stream.pipeline.syncOperations.addHandler(RefusedStream())
                }
                try stream.pipeline.syncOperations.addHandlers([
                    HTTP2FramePayloadToHTTPServerCodec(),
                    StreamFraming(scheme: transport.scheme, maximumFields: ServiceChannel.headerCount),
                ])
                try requests.addStream(to: stream, of: connection, over: transport, logger)
            }
        }
        try channel.pipeline.syncOperations.addHandler(http2)
    }
}

/// Closes a connection whose client has too many.
private final class RefusedConnection: ChannelInboundHandler {
    typealias InboundIn = NIOAny

    func channelActive(context: ChannelHandlerContext) { context.close(promise: nil) }
}

/// Ends a connection whose bytes can be read no more: what stands behind would take it for a malformed request.
private final class BrokenTransport: ChannelInboundHandler {
    typealias InboundIn = NIOAny

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
