import HTTPClient
import NIOCore
import NIOHTTP1

/// A connection to an upstream's node, the last handler of its pipeline; it belongs to its event loop and serves one request after the
/// other.
final class UpstreamConnection: ChannelDuplexHandler {
    typealias InboundIn = HTTPClientResponsePart
    typealias OutboundIn = HTTPClientRequestPart
    typealias OutboundOut = HTTPClientRequestPart

    /// The node's base URL, and what of it a request names as `Host`.
    let node: String
    let host: String
    /// When the connection became idle.
    var idleSince = NIODeadline.now()
    /// Whether it has served a request before the present one.
    private(set) var isUsed = false
    private(set) var isOpen = true
    private let connections: LoopConnections
    private var request: RelayedRequest?
    private var context: ChannelHandlerContext?
    /// All of the present request has been handed to the socket.
    private(set) var isSent = true
    private var isKeptAlive = false
    private var readIsDue = false
    /// Tells the decoder that an answer is due. Of the request it would have to know HEAD and CONNECT, which are not relayed here.
    private let due = HTTPRequestHead(version: .http1_1, method: .GET, uri: "/")

    init(_ node: String, _ connections: LoopConnections) {
        self.node = node
        host = String(node.dropFirst("http://".count))
        self.connections = connections
    }

    /// The handlers of a connection to a node.
    static func pipeline(_ node: String, _ connections: LoopConnections) -> [any ChannelHandler] {
        [
            WrittenRequests(),
            ByteToMessageHandler(HTTPResponseDecoder(informationalResponseStrategy: .drop)),
            UpstreamConnection(node, connections),
        ]
    }

    /// Sends a request in one write.
    ///
    /// - Parameters:
    ///   - head: its bytes.
    ///   - body: as long as the head says.
    func send(_ head: ByteBuffer, _ body: ByteBuffer?, for request: RelayedRequest) {
        guard let context else { return }
        self.request = request
        isKeptAlive = false
        context.write(wrapOutboundOut(.head(due)), promise: nil)
        guard let body else {
            return context.writeAndFlush(wrapOutboundOut(.body(.byteBuffer(head))), promise: nil)
        }
        isSent = false
        context.write(wrapOutboundOut(.body(.byteBuffer(head))), promise: nil)
        let sent = context.eventLoop.makePromise(of: Void.self)
        sent.futureResult.assumeIsolated().whenSuccess { self.isSent = true }
        context.writeAndFlush(wrapOutboundOut(.body(.byteBuffer(body))), promise: sent)
    }

    /// Ends the connection without a further callback to its request.
    func close() {
        request = nil
        isOpen = false
        context?.close(promise: nil)
    }

    /// The request takes more of its answer, after it has not.
    func resume() {
        guard readIsDue else { return }
        readIsDue = false
        context?.read()
    }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head):
            isKeptAlive = head.isKeepAlive
            request?.answered(head)
        case .body(let piece): request?.received(piece)
        case .end: ended()
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) { request?.receivedAll() }

    func read(context: ChannelHandlerContext) {
        guard let request, !request.takesMore else { return context.read() }
        readIsDue = true
        request.nodeWaits()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        fail(Self.meaning(of: error))
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        fail(HTTPClientError(.reset, "The server closed the connection.", requestMayHaveBeenProcessed: true))
    }

    private func ended() {
        let request = request
        self.request = nil
        isUsed = true
        // An answer without a length ends with its connection, whose end is told only afterwards.
        let isConnected = context?.channel.isActive ?? false
        if isKeptAlive, isSent, isOpen, isConnected { connections.give(self) } else { close() }
        request?.ended()
        // What was held back may be the end of the connection.
        resume()
    }

    private func fail(_ error: HTTPClientError) {
        isOpen = false
        connections.remove(self)
        let request = request
        self.request = nil
        request?.failed(error)
    }

    private static func meaning(of error: any Error) -> HTTPClientError {
        let code: HTTPClientError.Code =
            switch error {
            case HTTPParserError.invalidEOFState, is IOError, is ChannelError: .reset
            default: .badResponse
            }
        return HTTPClientError(
            code, "The server gave no whole answer.", requestMayHaveBeenProcessed: true,
            detail: String(reflecting: error))
    }
}

/// Sends requests, which are bytes already and parts only for the decoder's sake.
private final class WrittenRequests: ChannelOutboundHandler {
    typealias OutboundIn = HTTPClientRequestPart
    typealias OutboundOut = IOData

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        guard case .body(let bytes) = unwrapOutboundIn(data) else { return promise?.succeed() ?? () }
        context.write(wrapOutboundOut(bytes), promise: promise)
    }
}
