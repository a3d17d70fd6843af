import Contracts
import HTTPTypes
import NIOCore
import NIOHTTP1
import NIOHTTPTypes

/// Keeps a client's connection in step and within bounds; between the HTTP codec and the requests.
///
/// - One request at a time: what is sent ahead waits (``RequestBytes``).
/// - A client that leaves a ready answer unread is disconnected after the write timeout.
/// - What cannot be read as HTTP is answered with a problem like every other refusal, not with a bare 400.
/// - The answer to a HEAD ends with its head: a body, or the mark of a chunked body's end, would be read as the next answer.
/// - An answer with `Connection: close` is the last one. The sending side is closed first and the rest a little later, so
///   that a client that is still sending can read the answer. A connection ends so when its client asks for it, when the server is
///   being stopped, and when a request was answered before most of its body had come: that body is not read to its end.
final class ConnectionGuard: ChannelDuplexHandler, RemovableChannelHandler, RequestGuard {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    /// How long a client may go on sending after the last answer.
    static let lingering = TimeAmount.seconds(2)
    /// So much of a body is read after its request has been answered, to keep the connection.
    static let drainedBytes = 64 * 1024

    /// A request that has not been answered to the end.
    private struct Exchange {
        let record: RequestRecord
        let message: MessageFraming.Message
        let isHead: Bool
        var receivedBytes = 0
        var isReceived = false
        var isContinued = false

        /// Whether what is still to come of the body is little enough to be read for nothing.
        var isNearlyReceived: Bool {
            if isReceived { return true }
            if message.expectsContinue, !isContinued, receivedBytes == 0 { return false }
            return message.bodyLength.map { $0 - receivedBytes <= ConnectionGuard.drainedBytes } ?? false
        }
    }

    private let connections: ServerConnections
    private let bytes: RequestBytes
    private let framing: MessageFraming
    private var context: ChannelHandlerContext?
    private var exchanges = CircularBuffer<Exchange>()
    /// Answered; the little that is left of its body is still to come.
    private var leftover: Exchange?
    private var refusal: ProblemError?
    private var isLast = false
    private var isUnframed = false
    /// The last answer has been given.
    private(set) var isClosing = false
    private let isAdmitted: Bool
    private let fields: HTTPFields
    /// Since when the client has left a ready answer unread.
    private var stalledSince: NIODeadline?
    private var look: Scheduled<Void>?

    /// - Parameters:
    ///   - bytes: the connection's first handler.
    ///   - framing: the one before this.
    ///   - isAdmitted: a connection that is not is closed once it is open.
    ///   - fields: what every answer says beside its own.
    init(
        _ connections: ServerConnections, _ bytes: RequestBytes, _ framing: MessageFraming, isAdmitted: Bool,
        fields: HTTPFields
    ) {
        self.connections = connections
        self.bytes = bytes
        self.framing = framing
        self.isAdmitted = isAdmitted
        self.fields = fields
    }

    var record: RequestRecord? { exchanges.last?.record }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        bytes.demand = { [weak self] in self?.demand ?? .nothing }
    }

    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    func channelActive(context: ChannelHandlerContext) {
        context.fireChannelActive()
        if !isAdmitted { context.close(promise: nil) }
    }

    func channelInactive(context: ChannelHandlerContext) {
        look?.cancel()
        for exchange in exchanges { finish(exchange, isCut: true) }
        exchanges.removeAll()
        connections.closed(context.channel)
        context.fireChannelInactive()
    }

    private var demand: RequestBytes.Demand {
        guard let last = exchanges.last ?? leftover else { return .requestHead }
        if last.isReceived { return .nothing }
        return last.message.bodyLength.map { .body(max(0, $0 - last.receivedBytes)) } ?? .chunkedBody
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        // No further request will be answered.
        guard !isClosing, refusal == nil else { return }
        switch unwrapInboundIn(data) {
        case .head(let head):
            let record = RequestRecord(method: head.method.rawValue)
            exchanges.append(Exchange(record: record, message: framing.message, isHead: head.method == .head))
        case .body(let piece):
            leftover?.receivedBytes += piece.readableBytes
            if leftover == nil, let last = exchanges.indices.last {
                exchanges[last].receivedBytes += piece.readableBytes
                exchanges[last].record.note { $0.bytesIn += piece.readableBytes }
            }
        case .end:
            if leftover == nil, let last = exchanges.indices.last { exchanges[last].isReceived = true }
            leftover = nil
        }
        context.fireChannelRead(data)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // Later errors follow from the first: bytes that arrive for a parser that has given up.
        guard refusal == nil else { return }
        switch error {
        case let error as HTTPParserError:
            // The parser takes any word that it does not know for a method.
            let meant = error == .invalidMethod && !bytes.beginsWithMethod ? .unknown : error
            refusal = ProblemError(parserError: meant)
            context.fireErrorCaught(error)
        case is IOError, is ChannelError:
            context.fireErrorCaught(error)
        case let error as MessageFraming.Refused:
            refusal = error.problem
            // The server answers only what the parser refuses.
            context.fireErrorCaught(HTTPParserError.unknown)
        default:
            // A head that the codec cannot express.
            refusal = ProblemError(parserError: .unknown)
            context.fireErrorCaught(HTTPParserError.unknown)
        }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable {
            stalledSince = nil
        } else if stalledSince == nil {
            stalledSince = .now()
            // A look that is scheduled already comes too early, and looks again: a long answer stalls many times a second.
            if look == nil { lookForStall(context, in: writeTimeout) }
        }
        context.fireChannelWritabilityChanged()
    }

    private var writeTimeout: TimeAmount { TimeAmount(connections.limits.writeTimeout) }

    private func lookForStall(_ context: ChannelHandlerContext, in time: TimeAmount) {
        look = context.eventLoop.assumeIsolated().scheduleTask(in: time) { [weak self] in
            guard let self else { return }
            look = nil
            guard let stalledSince else { return }
            let left = stalledSince + writeTimeout - .now()
            if left <= .nanoseconds(0) {
                context.channel.close(promise: nil)
            } else {
                lookForStall(context, in: left)
            }
        }
    }

    func wantsBody() {
        guard let context, let first = exchanges.first, first.message.expectsContinue, !first.isContinued,
            first.receivedBytes == 0, !first.isReceived, !isClosing
        else { return }
        exchanges[exchanges.startIndex].isContinued = true
        context.writeAndFlush(wrapOutboundOut(.head(HTTPResponse(status: .continue))), promise: nil)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        switch unwrapOutboundIn(data) {
        case .head(let head) where head.status.kind == .informational:
            context.write(data, promise: promise)
        case .head(let head):
            writeHead(head, data, context, promise)
        case .body(let piece):
            if exchanges.first?.isHead == true {
                promise?.succeed()
            } else {
                exchanges.first?.record.note { $0.bytesOut += piece.readableBytes }
                context.write(data, promise: promise)
            }
        case .end:
            writeEnd(data, context, promise)
        }
    }

    /// - Parameter data: the head as it came, passed on where nothing is changed.
    private func writeHead(
        _ head: HTTPResponse, _ data: NIOAny, _ context: ChannelHandlerContext, _ promise: EventLoopPromise<Void>?
    ) {
        var head = head
        var body = ByteBuffer()
        var isChanged = !fields.isEmpty
        if let refusal, Self.isBareRefusal(head) {
            (head, body) = refused(refusal)
            isChanged = true
        }
        let current = exchanges.first
        let isHead = current?.isHead ?? false
        let mustClose =
            current.map {
                !$0.message.isPersistent || !($0.isNearlyReceived || $0.record.isReadWhileAnswered)
            } ?? false
        if mustClose || connections.lifecycle.isShuttingDown {
            head.headerFields[.connection] = "close"
            isChanged = true
        }
        isLast = head.headerFields[.connection]?.lowercased() == "close"
        if !fields.isEmpty { head.headerFields.append(contentsOf: fields) }
        // Without a length the codec below would mark the end of a body that is not there.
        isUnframed = isHead && head.headerFields[.contentLength] == nil && head.status.mayHaveContent
        framing.answersHTTP10 = current?.message.isHTTP10 ?? false
        current?.record.note { $0.status = head.status.code }
        context.write(isChanged ? wrapOutboundOut(.head(head)) : data, promise: promise)
        if body.readableBytes > 0 { context.write(wrapOutboundOut(.body(body)), promise: nil) }
    }

    private func writeEnd(_ data: NIOAny, _ context: ChannelHandlerContext, _ promise: EventLoopPromise<Void>?) {
        if isUnframed {
            context.flush()
            promise?.succeed()
        } else {
            context.writeAndFlush(data, promise: promise)
        }
        let exchange = exchanges.popFirst()
        exchange.map { finish($0, isCut: false) }
        let isOver = isLast || isUnframed || exchange.map { !$0.isNearlyReceived } ?? false
        guard isOver else {
            if let exchange, !exchange.isReceived { leftover = exchange }
            // Not from within the writing of this answer: the next request begins anew.
            if bytes.holds { context.eventLoop.assumeIsolated().execute { self.bytes.resume() } }
            return
        }
        close(context)
    }

    private func close(_ context: ChannelHandlerContext) {
        guard !isClosing else { return }
        isClosing = true
        bytes.discard()
        context.close(mode: .output, promise: nil)
        let channel = context.channel
        context.eventLoop.scheduleTask(in: Self.lingering) { channel.close(promise: nil) }
    }

    private func finish(_ exchange: Exchange, isCut: Bool) {
        connections.accessLog.append(exchange.record.finish(isCut: isCut))
    }

    /// What Hummingbird writes when the parser has given up.
    private static func isBareRefusal(_ head: HTTPResponse) -> Bool {
        head.status == .badRequest && head.headerFields[.contentLength] == "0" && head.headerFields[.requestID] == nil
    }

    private func refused(_ problem: ProblemError) -> (HTTPResponse, ByteBuffer) {
        let record = exchanges.isEmpty ? RequestRecord(method: "unknown") : nil
        var (head, body) = Self.refused(problem, record, client: context?.channel.remoteAddress?.ipAddress)
        head.headerFields[.connection] = "close"
        if let record { connections.accessLog.append(record.finish(isCut: false)) }
        return (head, body)
    }
}

extension HTTPResponse.Status {
    fileprivate var mayHaveContent: Bool { code != 204 && code != 304 }
}

extension ProblemError {
    static var unmetExpectation: ProblemError {
        ProblemError(
            status: .expectationFailed, code: .malformedRequest, "No expectation other than 100-continue can be met.")
    }

    /// What the HTTP parser did not like. Not for a connection that has just ended.
    init(parserError error: HTTPParserError) {
        switch error {
        case .headerOverflow:
            self.init(
                status: .requestHeaderFieldsTooLarge, code: .headersTooLarge, "The request's headers are too large.")
        case .invalidMethod:
            self.init(
                status: .methodNotAllowed, code: .methodNotAllowed, "The request's method is not supported.",
                headers: [.allow: "DELETE, GET, HEAD, PATCH, POST, PUT"])
        case .invalidChunkSize:
            self.init(status: .badRequest, code: .malformedRequest, "The body's chunks are malformed.", cause: error)
        default:
            self.init(status: .badRequest, code: .malformedRequest, "The request is not valid HTTP.", cause: error)
        }
    }
}

extension Problem {
    init(_ problem: ProblemError, requestID: String) {
        self.init(
            status: problem.status.code, title: problem.status.reasonPhrase, code: problem.code,
            error: problem.sentence, requestId: requestID, errors: problem.errors)
    }
}
