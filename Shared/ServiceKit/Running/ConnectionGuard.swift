import Contracts
import HTTPTypes
import NIOCore
import NIOHTTP1
import NIOHTTPTypes

/// Keeps a client's connection in step where the server below leaves gaps; between the HTTP codec and the requests.
///
/// - What cannot be read as HTTP is answered with a problem like every other refusal, not with a bare 400.
/// - The answer to a HEAD ends with its head: a body, or the mark of a chunked body's end, would be read as the next answer.
/// - An answer with `Connection: close` is the last one. The sending side is closed first and the rest a little later, so
///   that a client that is still sending gets to read it.
final class ConnectionGuard: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    /// How long a client may go on sending after the last answer.
    static let lingering = TimeAmount.seconds(2)

    private let requestLines = RequestLineWatch()
    private var parserError: HTTPParserError?
    /// Whether each request that has no answer yet is a HEAD, oldest first.
    private var unanswered = CircularBuffer<Bool>()
    private var isHead = false
    private var isLast = false
    private var isUnframed = false
    private var isClosing = false

    func handlerAdded(context: ChannelHandlerContext) {
        try? context.pipeline.syncOperations.addHandler(requestLines, position: .first)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        // Nobody will be answered any more.
        guard !isClosing else { return }
        if case .head(let head) = unwrapInboundIn(data) { unanswered.append(head.method == .head) }
        context.fireChannelRead(data)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // Whatever comes after the first is its consequence: bytes that arrive for a parser that has given up.
        guard parserError == nil else { return }
        switch error {
        case let error as HTTPParserError:
            // The parser takes any word that it does not know for a method.
            parserError = error == .invalidMethod && !requestLines.beginsWithMethod ? .unknown : error
            context.fireErrorCaught(error)
        case is IOError, is ChannelError:
            context.fireErrorCaught(error)
        default:
            // A head that the codec cannot express. The server answers only what the parser refuses.
            parserError = .unknown
            context.fireErrorCaught(HTTPParserError.unknown)
        }
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        switch unwrapOutboundIn(data) {
        case .head(let head) where head.status.kind == .informational:
            context.write(data, promise: promise)
        case .head(let head):
            writeHead(head, context, promise)
        case .body:
            if isHead { promise?.succeed() } else { context.write(data, promise: promise) }
        case .end:
            writeEnd(data, context, promise)
        }
    }

    private func writeHead(
        _ head: HTTPResponse, _ context: ChannelHandlerContext, _ promise: EventLoopPromise<Void>?
    ) {
        isHead = unanswered.popFirst() ?? false
        isLast = head.headerFields[.connection]?.lowercased() == "close"
        // Without a length the codec below would mark the end of a body that is not there.
        isUnframed = isHead && head.headerFields[.contentLength] == nil
        guard let parserError, Self.isBareRefusal(head) else {
            context.write(wrapOutboundOut(.head(head)), promise: promise)
            return
        }
        let (status, headers, body) = Self.refusal(parserError)
        context.write(
            wrapOutboundOut(.head(HTTPResponse(status: status, headerFields: headers))), promise: promise)
        context.write(wrapOutboundOut(.body(ByteBuffer(bytes: body))), promise: nil)
    }

    private func writeEnd(_ data: NIOAny, _ context: ChannelHandlerContext, _ promise: EventLoopPromise<Void>?) {
        if isUnframed {
            context.flush()
            promise?.succeed()
        } else {
            context.writeAndFlush(data, promise: promise)
        }
        guard isLast || isUnframed, !isClosing else { return }
        isClosing = true
        context.close(mode: .output, promise: nil)
        let channel = context.channel
        context.eventLoop.scheduleTask(in: Self.lingering) { channel.close(promise: nil) }
    }

    /// What Hummingbird writes when the parser has given up.
    private static func isBareRefusal(_ head: HTTPResponse) -> Bool {
        head.status == .badRequest && head.headerFields[.contentLength] == "0" && head.headerFields[.requestID] == nil
    }

    private static func refusal(_ error: HTTPParserError) -> (HTTPResponse.Status, HTTPFields, [UInt8]) {
        let problem = ProblemError(parserError: error)
        let requestID = TraceContext().requestID
        let body = (try? WireJSON.encode(Problem(problem, requestID: requestID))) ?? []
        var headers = problem.headers
        headers[.contentType] = Problem.mediaType
        headers[.contentLength] = "\(body.count)"
        headers[.cacheControl] = "no-store"
        headers[.connection] = "close"
        headers[.requestID] = requestID
        return (problem.status, headers, body)
    }
}

extension ProblemError {
    /// What the HTTP parser did not like. Not for a connection that has just ended.
    init(parserError error: HTTPParserError) {
        switch error {
        case .headerOverflow:
            self.init(
                status: .requestHeaderFieldsTooLarge, code: .headersTooLarge, "The request's headers are too large.")
        case .invalidMethod:
            self.init(
                status: .methodNotAllowed, code: .methodNotAllowed, "This is not a method of HTTP that is known here.",
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
