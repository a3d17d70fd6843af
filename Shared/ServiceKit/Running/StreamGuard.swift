import Contracts
import HTTPTypes
import NIOCore
import NIOHTTPTypes

/// A request of a stream that is answered with a problem before it reaches the router.
package struct StreamRefused: Error {
    let problem: ProblemError

    package init(_ problem: ProblemError) { self.problem = problem }
}

/// Sent to the decoder of a stream: both sides of the stream end now.
package enum StreamReset: Sendable {
    /// The answer is whole; the rest of the request is of no interest.
    case answered
    /// The request is malformed.
    case malformed
}

/// Keeps a stream of HTTP/2 within bounds, as ``ConnectionGuard`` does a connection: a stream carries one request.
///
/// - A client that takes nothing of what is ready for it loses the stream after the write timeout.
/// - The stream ends with its answer, whatever is still to come of the request.
/// - When the server is being stopped, the connection is told to take no further requests.
final class StreamGuard: ChannelDuplexHandler, RequestGuard {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    private let connections: ServerConnections
    private let fields: HTTPFields
    private(set) var record: RequestRecord?
    private(set) var isClosing = false
    private var context: ChannelHandlerContext?
    private var isHead = false
    private var isReceived = false
    private var awaitsContinue = false
    private var stalled: Scheduled<Void>?

    init(_ connections: ServerConnections, fields: HTTPFields) {
        self.connections = connections
        self.fields = fields
    }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    func channelInactive(context: ChannelHandlerContext) {
        stalled?.cancel()
        if !isClosing { finish(isCut: true) }
        isClosing = true
        connections.closed(context.channel)
        context.fireChannelInactive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        // What comes after the answer is of no interest.
        guard !isClosing else { return }
        switch unwrapInboundIn(data) {
        case .head(let head):
            record = RequestRecord(method: head.method.rawValue)
            isHead = head.method == .head
            let expectations = head.headerFields[values: .expect].map { $0.lowercased() }
            guard expectations.allSatisfy({ $0 == "100-continue" }) else { return refuse(.unmetExpectation, context) }
            awaitsContinue = !expectations.isEmpty
        case .body(let piece):
            awaitsContinue = false
            record?.note { $0.bytesIn += piece.readableBytes }
        case .end: isReceived = true
        }
        context.fireChannelRead(data)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard !isClosing else { return }
        if let refused = error as? StreamRefused, record == nil { return refuse(refused.problem, context) }
        context.fireErrorCaught(error)
        reset(.malformed, context)
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable {
            stalled?.cancel()
            stalled = nil
        } else {
            limitTime(context)
        }
        context.fireChannelWritabilityChanged()
    }

    func wantsBody() {
        guard let context, awaitsContinue, !isReceived, !isClosing else { return }
        awaitsContinue = false
        context.writeAndFlush(wrapOutboundOut(.head(HTTPResponse(status: .continue))), promise: nil)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        switch unwrapOutboundIn(data) {
        case .head(let head) where head.status.kind == .informational: context.write(data, promise: promise)
        case .head(let head): writeHead(head, context, promise)
        case .body(let piece):
            if isHead {
                promise?.succeed()
            } else {
                record?.note { $0.bytesOut += piece.readableBytes }
                context.write(data, promise: promise)
            }
        case .end: writeEnd(data, context, promise)
        }
    }

    private func writeHead(
        _ head: HTTPResponse, _ context: ChannelHandlerContext, _ promise: EventLoopPromise<Void>?
    ) {
        var head = head
        // Connections are none of a stream's business (RFC 9113 §8.2.2).
        head.headerFields[.connection] = nil
        head.headerFields[.transferEncoding] = nil
        head.headerFields.append(contentsOf: fields)
        record?.note { $0.status = head.status.code }
        if connections.lifecycle.isShuttingDown {
            context.channel.parent?.pipeline.fireUserInboundEventTriggered(ChannelShouldQuiesceEvent())
        }
        context.write(wrapOutboundOut(.head(head)), promise: promise)
    }

    private func writeEnd(_ data: NIOAny, _ context: ChannelHandlerContext, _ promise: EventLoopPromise<Void>?) {
        let promise = promise ?? context.eventLoop.makePromise(of: Void.self)
        finish(isCut: false)
        isClosing = true
        // A client that does not take the end of its answer holds the stream no longer than one that takes nothing.
        limitTime(context)
        promise.futureResult.assumeIsolated().whenComplete { [self] result in
            stalled?.cancel()
            stalled = nil
            if case .success = result, !isReceived { reset(.answered, context) }
        }
        context.writeAndFlush(data, promise: promise)
    }

    private func refuse(_ problem: ProblemError, _ context: ChannelHandlerContext) {
        let record = record ?? RequestRecord(method: "unknown")
        self.record = record
        let (head, body) = Self.refused(problem, record, client: context.channel.remoteAddress?.ipAddress)
        writeHead(head, context, nil)
        if !isHead { context.write(wrapOutboundOut(.body(body)), promise: nil) }
        writeEnd(wrapOutboundOut(.end(nil)), context, nil)
    }

    private func reset(_ reason: StreamReset, _ context: ChannelHandlerContext) {
        context.triggerUserOutboundEvent(reason, promise: nil)
    }

    private func limitTime(_ context: ChannelHandlerContext) {
        guard stalled == nil else { return }
        let channel = context.channel
        stalled = context.eventLoop.scheduleTask(in: TimeAmount(connections.limits.writeTimeout)) {
            channel.close(promise: nil)
        }
    }

    private func finish(isCut: Bool) {
        guard let record else { return }
        connections.accessLog.append(record.finish(isCut: isCut))
    }
}
