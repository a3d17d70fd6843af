import Contracts
import HTTPTypes
import NIOCore
import NIOHTTP2
import NIOHTTPTypes
import NIOHTTPTypesHTTP2
import ServiceKit

/// Reads what the head of a stream says of its message (RFC 9113 §8.3), as ``MessageFraming`` does for HTTP/1.1, and refuses what two
/// readers may understand differently. NIO has refused before this: names that are no words or in upper case, fields of connections,
/// values with line breaks, and bodies of another length than stated.
///
/// A stream need not say that it has a body (RFC 9113 §8.1.1), and all that stands behind this goes by what the head says, as in
/// HTTP/1.1. So a head without a length waits for what follows it, and says `Transfer-Encoding: chunked` if that is a body.
final class StreamFraming: ChannelDuplexHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    private let scheme: String
    private let maximumFields: Int
    private var isRefused = false
    /// A head without a length, until it is known whether a body follows.
    private var pending: HTTPRequest?
    private var pendingUntil: Scheduled<Void>?

    /// How long the end of a request is waited for that should have no body: some senders send it apart.
    private static let patience = TimeAmount.seconds(1)

    init(scheme: String, maximumFields: Int) {
        self.scheme = scheme
        self.maximumFields = maximumFields
    }

    func handlerRemoved(context: ChannelHandlerContext) { pendingUntil?.cancel() }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isRefused else { return }
        switch unwrapInboundIn(data) {
        case .head(let head):
            do {
                let head = try checked(head)
                guard head.headerFields[.contentLength] == nil else {
                    return context.fireChannelRead(wrapInboundOut(.head(head)))
                }
                pending = head
            } catch {
                refuse(error, context)
            }
        case .body(let piece) where pending != nil && piece.readableBytes == 0: break
        case .body:
            passPending(hasBody: true, context)
            context.fireChannelRead(data)
        case .end:
            passPending(hasBody: false, context)
            context.fireChannelRead(data)
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        if let pending {
            switch pending.method {
            case .get, .head, .delete, .options: awaitEnd(context)
            default: passPending(hasBody: true, context)
            }
        }
        context.fireChannelReadComplete()
    }

    private func awaitEnd(_ context: ChannelHandlerContext) {
        guard pendingUntil == nil else { return }
        pendingUntil = context.eventLoop.assumeIsolated().scheduleTask(in: Self.patience) { [weak self] in
            self?.passPending(hasBody: true, context)
            context.fireChannelReadComplete()
        }
    }

    private func passPending(hasBody: Bool, _ context: ChannelHandlerContext) {
        pendingUntil?.cancel()
        pendingUntil = nil
        guard var head = pending else { return }
        pending = nil
        if hasBody { head.headerFields[.transferEncoding] = "chunked" }
        context.fireChannelRead(wrapInboundOut(.head(head)))
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // A head that the codec cannot express, or trouble with what comes after it.
        refuse(StreamRefused(.malformed("The request is not valid HTTP.")), context)
    }

    func triggerUserOutboundEvent(context: ChannelHandlerContext, event: Any, promise: EventLoopPromise<Void>?) {
        guard let reset = event as? StreamReset else {
            return context.triggerUserOutboundEvent(event, promise: promise)
        }
        let event: NIOHTTP2FramePayloadToHTTPEvent =
            switch reset {
            case .answered: .reset(code: .noError)
            case .malformed: .reset(code: .protocolError)
            }
        context.triggerUserOutboundEvent(event, promise: promise)
    }

    private func refuse(_ error: any Error, _ context: ChannelHandlerContext) {
        guard !isRefused else { return }
        isRefused = true
        pending = nil
        context.fireErrorCaught(error)
    }

    /// - Throws: ``StreamRefused``.
    private func checked(_ head: HTTPRequest) throws(StreamRefused) -> HTTPRequest {
        var head = head
        guard head.method != .connect, let path = head.path else {
            throw StreamRefused(
                ProblemError(
                    status: .methodNotAllowed, code: .methodNotAllowed, "CONNECT is not supported.",
                    headers: [.allow: "DELETE, GET, HEAD, PATCH, POST, PUT"]))
        }
        guard head.headerFields.count <= maximumFields else {
            throw StreamRefused(
                ProblemError(
                    status: .requestHeaderFieldsTooLarge, code: .headersTooLarge,
                    "The request's headers are too large."))
        }
        guard path == "*" || path.utf8.first == UInt8(ascii: "/"), path.utf8.allSatisfy({ (0x21...0x7e).contains($0) })
        else { throw StreamRefused(.malformed("The request target must be a path.")) }
        // Only the connection decides the scheme, never the client's header.
        guard head.scheme?.lowercased() == scheme else {
            throw StreamRefused(.malformed("The request's scheme must be that of its connection."))
        }
        head.scheme = scheme
        head.authority = try Self.authority(of: head)
        head.headerFields[.host] = nil
        let lengths = head.headerFields[values: .contentLength]
        guard lengths.count <= 1, lengths.allSatisfy({ !$0.isEmpty && $0.utf8.allSatisfy(Self.isDigit) }) else {
            throw StreamRefused(.malformed("Send Content-Length only once, in digits."))
        }
        return head
    }

    /// The one host that `:authority` and `Host` name; a request with neither is refused further up.
    private static func authority(of head: HTTPRequest) throws(StreamRefused) -> String? {
        let hosts = head.headerFields[values: .host]
        let names = (head.authority.map { [$0] } ?? []) + hosts
        guard hosts.count <= 1, let first = names.first ?? nil else {
            if hosts.count > 1 { throw StreamRefused(.malformed("Send Host only once.")) }
            return nil
        }
        guard names.allSatisfy({ $0.lowercased() == first.lowercased() }) else {
            throw StreamRefused(.malformed("Host must name what :authority names."))
        }
        guard !first.contains("@") else {
            throw StreamRefused(.malformed("The request target must name a host and no user."))
        }
        return first
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }
}

extension HTTPField.Name {
    fileprivate static let host = Self("Host")!
}
