public import HTTPTypes
import Logging
import NIOCore
import NIOHTTP1
import NIOHTTPTypes

/// Decides which way a request goes: it is answered on this event loop, or by the router in the connection's task.
///
/// A request is offered to the loop when it has come whole soon after its head. A slow body goes to the router, which watches over slow
/// bodies. Short requests behind a body may be decoded together with it (``RequestBytes``). Each waits here until the one before it has
/// been answered and the client has taken that answer: answers are made faster than they are encrypted and sent, and a client that does
/// not read would have all of them in the memory.
final class RequestFork: ChannelDuplexHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    /// What has come before its turn.
    private enum Arrival {
        case part(HTTPRequestPart, RequestRecord?)
        case error(any Error)
        case inputClosed
    }

    /// A request whose end has not come yet.
    private struct Held {
        let head: HTTPRequest
        let record: RequestRecord?
        var body: ByteBuffer?
    }

    /// Many clients send a head and a short body in two pieces.
    private static let patience = TimeAmount.milliseconds(20)

    private let frame: RequestFrame
    private let guarding: any RequestGuard
    private let connection: ServiceConnection
    private let isSocket: Bool
    private let responder: (any LoopResponder)?
    private let logger: Logger
    private var peer: String?
    private var held: Held?
    private var heldUntil: Scheduled<Void>?
    private var exchange: LoopExchange?
    private var waiting = CircularBuffer<Arrival>()
    private var readIsDue = false
    /// Requests that the router has not answered.
    private var routed = 0
    /// The router gets the rest of its request.
    private var isRouting = false
    /// The router stands behind this.
    private var isRouted = false
    /// The client has closed its side during the exchange.
    private var isInputClosed = false

    /// - Parameters:
    ///   - guarding: a handler before this.
    ///   - isSocket: false for a stream of the connection.
    init(
        _ frame: RequestFrame, _ guarding: any RequestGuard, _ connection: ServiceConnection, isSocket: Bool,
        _ responder: (any LoopResponder)?, _ logger: Logger
    ) {
        self.frame = frame
        self.guarding = guarding
        self.connection = connection
        self.isSocket = isSocket
        self.responder = responder
        self.logger = logger
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        heldUntil?.cancel()
        waiting.removeAll()
        exchange?.gone()
        exchange = nil
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let part = unwrapInboundIn(data)
        var record: RequestRecord?
        if case .head = part { record = guarding.record }
        guard waiting.isEmpty, isItsTurn(context) else { return waiting.append(.part(part, record)) }
        receive(part, record, context)
    }

    /// Whether what comes next may be looked at: the rest of a request, or one that has nothing before it.
    private func isItsTurn(_ context: ChannelHandlerContext) -> Bool {
        guard exchange == nil else { return false }
        return isRouting || held != nil || routed == 0 && context.channel.isWritable
    }

    /// The handler wants to read the body of the request that is being answered.
    func wantsBody() { guarding.wantsBody() }

    func channelReadComplete(context: ChannelHandlerContext) {
        awaitRest(context)
        context.fireChannelReadComplete()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard exchange == nil, waiting.isEmpty else { return waiting.append(.error(error)) }
        fail(error, context)
    }

    /// The server answers what the parser refuses.
    private func fail(_ error: any Error, _ context: ChannelHandlerContext) {
        passHeld(context)
        if error is HTTPParserError { enterRouter(context) }
        if isRouted { context.fireErrorCaught(error) } else { context.close(promise: nil) }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        passHeld(context)
        guard case ChannelEvent.inputClosed? = event as? ChannelEvent else {
            return context.fireUserInboundEventTriggered(event)
        }
        guard let exchange else {
            return waiting.isEmpty ? closeInput(context) : waiting.append(.inputClosed)
        }
        // The router, told now, would end the connection before the answer is written.
        isInputClosed = true
        // What changes something may have been carried out: its client, who may only have finished sending, gets the answer.
        if exchange.request.method.isSafe { exchange.hungUp() }
    }

    private func closeInput(_ context: ChannelHandlerContext) {
        guard isRouted else { return context.close(promise: nil) }
        context.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable {
            exchange?.answering?.clientIsReady()
            takeWaitingSoon(context)
        }
        context.fireChannelWritabilityChanged()
    }

    /// The socket is not read while something waits: a body behind an exchange would fill the memory.
    func read(context: ChannelHandlerContext) {
        if waiting.isEmpty { context.read() } else { readIsDue = true }
    }

    /// What the router answers.
    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        context.write(data, promise: promise)
        guard case .end = unwrapOutboundIn(data) else { return }
        routed = max(0, routed - 1)
        takeWaitingSoon(context)
    }

    /// Not from within the writing of an answer: the next request begins anew.
    private func takeWaitingSoon(_ context: ChannelHandlerContext) {
        guard !waiting.isEmpty else { return }
        context.eventLoop.assumeIsolated().execute { [weak self] in self?.takeWaiting(context) }
    }

    private func receive(_ part: HTTPRequestPart, _ record: RequestRecord?, _ context: ChannelHandlerContext) {
        switch part {
        case .head(let head):
            if let responder, routed == 0, Self.mayBeHeld(head, upTo: responder.longestBodyBytes) {
                held = Held(head: head, record: record)
            } else {
                pass(head, record, context)
            }
        case .body(var piece) where held != nil:
            if held?.body == nil { held?.body = piece } else { held?.body?.writeBuffer(&piece) }
        case .end where isRouting:
            isRouting = false
            context.fireChannelRead(wrapInboundOut(part))
        case .end(let trailers) where held != nil:
            heldUntil?.cancel()
            heldUntil = nil
            if trailers == nil, isTaken(context) { return }
            passHeld(context)
            isRouting = false
            context.fireChannelRead(wrapInboundOut(part))
        default:
            context.fireChannelRead(wrapInboundOut(part))
        }
    }

    private func isTaken(_ context: ChannelHandlerContext) -> Bool {
        guard let responder, let held, let record = held.record else { return false }
        if peer == nil { peer = context.channel.remoteAddress?.ipAddress }
        let exchange = LoopExchange(held.head, record, peer: peer, frame, context, logger) { [weak self] in
            self?.ended(context)
        }
        self.exchange = exchange
        self.held = nil
        guard responder.take(exchange, body: held.body) else {
            exchange.isLeft()
            self.exchange = nil
            self.held = held
            return false
        }
        return true
    }

    private func ended(_ context: ChannelHandlerContext) {
        exchange = nil
        if guarding.isClosing || isInputClosed { waiting.removeAll() }
        if isInputClosed {
            isInputClosed = false
            guard isRouted else { return context.close(mode: .output, promise: nil) }
            return context.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
        }
        takeWaiting(context)
    }

    /// What has waited, as far as it is its turn.
    private func takeWaiting(_ context: ChannelHandlerContext) {
        guard !waiting.isEmpty, isItsTurn(context) else { return }
        while isItsTurn(context), let arrival = waiting.popFirst() {
            switch arrival {
            case .part(let part, let record): receive(part, record, context)
            case .error(let error): fail(error, context)
            case .inputClosed: closeInput(context)
            }
        }
        awaitRest(context)
        context.fireChannelReadComplete()
        guard readIsDue, waiting.isEmpty else { return }
        readIsDue = false
        context.read()
    }

    /// Nothing else limits the wait for the rest of a request.
    private func awaitRest(_ context: ChannelHandlerContext) {
        guard held != nil, heldUntil == nil else { return }
        heldUntil = context.eventLoop.assumeIsolated().scheduleTask(in: Self.patience) { [weak self] in
            self?.passHeld(context)
            context.fireChannelReadComplete()
        }
    }

    private func passHeld(_ context: ChannelHandlerContext) {
        heldUntil?.cancel()
        heldUntil = nil
        guard let held else { return }
        self.held = nil
        pass(held.head, held.record, context)
        if let body = held.body { context.fireChannelRead(wrapInboundOut(.body(body))) }
    }

    private func pass(_ head: HTTPRequest, _ record: RequestRecord?, _ context: ChannelHandlerContext) {
        routed += 1
        isRouting = true
        enterRouter(context)
        if let record { frame.connections.arrived(record, on: context.channel) }
        context.fireChannelRead(wrapInboundOut(.head(head)))
    }

    private func enterRouter(_ context: ChannelHandlerContext) {
        guard !isRouted else { return }
        isRouted = true
        connection.routed.add(context.channel, isSocket: isSocket)
    }

    private static func mayBeHeld(_ head: HTTPRequest, upTo limit: Int) -> Bool {
        switch head.method {
        case .get, .post, .put, .patch, .delete: break
        default: return false
        }
        guard !head.headerFields.contains(.expect), !head.headerFields.contains(.transferEncoding) else { return false }
        guard let length = head.headerFields[.contentLength] else { return true }
        return Int(length).map { $0 <= limit } ?? false
    }
}

extension HTTPRequest.Method {
    /// Whether carrying a request out changes nothing (RFC 9110 §9.2.1).
    public var isSafe: Bool { self == .get || self == .head || self == .options }
}
