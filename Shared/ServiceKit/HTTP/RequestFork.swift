import HTTPTypes
import Logging
import NIOCore
import NIOHTTPTypes

/// Decides which way a request goes: it is answered on this event loop, or by the router in the connection's task.
///
/// A request is offered to the loop when it has come whole by the end of one read of the socket. A slow body goes to the router,
/// which watches over slow bodies. One request is answered at a time (``RequestBytes``), so that the two ways never meet.
final class RequestFork: ChannelInboundHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundOut = HTTPResponsePart

    private let frame: RequestFrame
    private let guarding: ConnectionGuard
    private let responder: (any LoopResponder)?
    private let logger: Logger
    private var peer: String?
    /// A request whose end has not come yet.
    private var held: (head: HTTPRequest, body: ByteBuffer?)?
    private var exchange: LoopExchange?
    /// The client has closed its side during the exchange.
    private var isInputClosed = false

    init(_ frame: RequestFrame, _ guarding: ConnectionGuard, _ responder: (any LoopResponder)?, _ logger: Logger) {
        self.frame = frame
        self.guarding = guarding
        self.responder = responder
        self.logger = logger
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        exchange?.gone()
        exchange = nil
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head):
            if let responder, Self.mayBeHeld(head, upTo: responder.longestBodyBytes) {
                held = (head, nil)
            } else {
                pass(head, context)
            }
        case .body(var piece) where held != nil:
            if held?.body == nil { held?.body = piece } else { held?.body?.writeBuffer(&piece) }
        case .end(let trailers) where held != nil:
            if trailers == nil, isTaken(context) { return }
            passHeld(context)
            context.fireChannelRead(data)
        default:
            context.fireChannelRead(data)
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        passHeld(context)
        context.fireChannelReadComplete()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        passHeld(context)
        context.fireErrorCaught(error)
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        passHeld(context)
        guard case ChannelEvent.inputClosed? = event as? ChannelEvent, let exchange else {
            return context.fireUserInboundEventTriggered(event)
        }
        // The router, told now, would end the connection before the answer is written.
        isInputClosed = true
        exchange.hungUp()
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable { exchange?.answering?.clientIsReady() }
        context.fireChannelWritabilityChanged()
    }

    private func isTaken(_ context: ChannelHandlerContext) -> Bool {
        guard let responder, let (head, body) = held, let record = guarding.record else { return false }
        if peer == nil { peer = context.channel.remoteAddress?.ipAddress }
        let exchange = LoopExchange(head, record, peer: peer, frame, context, logger) { [weak self] in
            self?.ended(context)
        }
        self.exchange = exchange
        guard responder.take(exchange, body: body) else {
            exchange.isLeft()
            self.exchange = nil
            return false
        }
        held = nil
        return true
    }

    private func ended(_ context: ChannelHandlerContext) {
        exchange = nil
        guard isInputClosed else { return }
        isInputClosed = false
        context.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
    }

    private func passHeld(_ context: ChannelHandlerContext) {
        guard let (head, body) = held else { return }
        held = nil
        pass(head, context)
        if let body { context.fireChannelRead(wrapInboundOut(.body(body))) }
    }

    private func pass(_ head: HTTPRequest, _ context: ChannelHandlerContext) {
        if let record = guarding.record { frame.connections.arrived(record, on: context.channel) }
        context.fireChannelRead(wrapInboundOut(.head(head)))
    }

    private static func mayBeHeld(_ head: HTTPRequest, upTo limit: Int) -> Bool {
        switch head.method {
        case .get, .post, .put, .patch, .delete: break
        default: return false
        }
        guard head.headerFields[.expect] == nil, head.headerFields[.transferEncoding] == nil else { return false }
        guard let length = head.headerFields[.contentLength] else { return true }
        return Int(length).map { $0 <= limit } ?? false
    }
}
