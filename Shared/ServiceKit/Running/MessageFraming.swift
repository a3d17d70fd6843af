import Contracts
import Foundation
import HTTPTypes
import NIOCore
import NIOHTTP1
import NIOHTTPTypes
import NIOHTTPTypesHTTP1

/// Between the HTTP/1.1 codec and the types of requests and answers; reads what a request's head says of its message and its
/// connection (RFC 9112) where that still can be read: the types above know neither the version nor the form of the target.
///
/// - A target in absolute form names the host; `Host` is then not looked at (§3.2.2).
/// - A transfer coding other than chunked is refused (§6.1): what is behind it would be taken for the content.
/// - HTTP/1.0 is answered as HTTP/1.0, whose bodies end with the connection. Where it names no host, it is for the address it came to.
/// - A request that would change the protocol (`Upgrade`, CONNECT) is the last on its connection: the parser reads nothing behind it
///   and would keep all that comes.
final class MessageFraming: ChannelDuplexHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPServerResponsePart

    struct Message: Sendable, Equatable {
        var isHTTP10 = false
        /// Whether the client would send another request on this connection.
        var isPersistent = true
        /// The client waits with the body for `100 Continue`.
        var expectsContinue = false
        /// 0 without a body; nil when only its last chunk will tell.
        var bodyLength: Int? = 0
    }

    struct Refused: Error {
        let problem: ProblemError
    }

    private let scheme: String
    /// The message whose head was passed on last.
    private(set) var message = Message()
    /// The version of the answer that comes next.
    var answersHTTP10 = false

    /// - Parameter scheme: of the connection; what a client writes in front of a host says nothing.
    init(scheme: String = "http") { self.scheme = scheme }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(var head):
            do {
                try Self.takeAuthority(&head)
                message = try Self.message(head)
                context.fireChannelRead(wrapInboundOut(.head(try request(head, context.channel))))
            } catch {
                context.fireErrorCaught(error)
            }
        case .body(let piece): context.fireChannelRead(wrapInboundOut(.body(piece)))
        case .end(let trailers):
            context.fireChannelRead(
                wrapInboundOut(.end(trailers.map { HTTPFields($0, splitCookie: false) })))
        }
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        let part: HTTPServerResponsePart =
            switch unwrapOutboundIn(data) {
            case .head(let head):
                .head(
                    HTTPResponseHead(
                        version: answersHTTP10 ? .http1_0 : .http1_1,
                        status: HTTPResponseStatus(
                            statusCode: head.status.code, reasonPhrase: head.status.reasonPhrase),
                        headers: HTTPHeaders(head.headerFields)))
            case .body(let piece): .body(.byteBuffer(piece))
            case .end(let trailers): .end(trailers.map { HTTPHeaders($0) })
            }
        context.write(wrapOutboundOut(part), promise: promise)
    }

    /// - Throws: ``Refused`` for a method that is no word.
    private func request(_ head: HTTPRequestHead, _ channel: any Channel) throws(Refused) -> HTTPRequest {
        guard let method = HTTPRequest.Method(head.method.rawValue) else {
            throw Refused(problem: ProblemError(parserError: .invalidMethod))
        }
        let host = head.headers.first(name: "host") ?? (message.isHTTP10 ? Self.authority(of: channel) : nil)
        return HTTPRequest(
            method: method, scheme: scheme, authority: host, path: head.uri,
            headerFields: HTTPFields(head.headers, splitCookie: false))
    }

    /// The address that a client has connected to.
    private static func authority(of channel: any Channel) -> String? {
        guard let address = channel.localAddress, let host = address.ipAddress, let port = address.port else {
            return nil
        }
        return host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
    }

    /// - Throws: ``Refused``.
    static func message(_ head: HTTPRequestHead) throws(Refused) -> Message {
        var message = Message()
        message.isHTTP10 = (head.version.major, head.version.minor) < (1, 1)
        let options = head.headers[canonicalForm: "connection"].map { $0.lowercased() }
        let changesProtocol = head.method == .CONNECT || head.headers.contains(name: "upgrade")
        message.isPersistent = !message.isHTTP10 && !options.contains("close") && !changesProtocol
        let codings = head.headers[canonicalForm: "transfer-encoding"].map { $0.lowercased() }
        if !codings.isEmpty {
            guard codings == ["chunked"] else {
                throw Refused(
                    problem: ProblemError(
                        status: .notImplemented, code: .malformedRequest,
                        "Send the body without a transfer coding other than chunked."))
            }
            guard !message.isHTTP10 else {
                throw Refused(problem: .malformed("HTTP/1.0 knows no Transfer-Encoding; send Content-Length."))
            }
            message.bodyLength = nil
        } else if let length = head.headers.first(name: "content-length") {
            message.bodyLength = Int(length) ?? 0
        }
        let expectations = head.headers[canonicalForm: "expect"].map { $0.lowercased() }
        guard expectations.allSatisfy({ $0 == "100-continue" }) else {
            throw Refused(problem: .unmetExpectation)
        }
        message.expectsContinue = !expectations.isEmpty && !message.isHTTP10 && message.bodyLength != 0
        return message
    }

    /// Turns a target in absolute form into one in origin form and its `Host`.
    static func takeAuthority(_ head: inout HTTPRequestHead) throws(Refused) {
        // Nearly all are in origin form.
        guard head.uri.utf8.first != UInt8(ascii: "/"), let colon = head.uri.range(of: "://"),
            ["http", "https"].contains(head.uri[..<colon.lowerBound].lowercased())
        else { return }
        let rest = head.uri[colon.upperBound...]
        let end = rest.firstIndex { $0 == "/" || $0 == "?" } ?? rest.endIndex
        let authority = rest[..<end]
        guard !authority.isEmpty, !authority.contains("@") else {
            throw Refused(problem: .malformed("The request target must name a host and no user."))
        }
        let target = rest[end...]
        head.uri = target.hasPrefix("/") ? String(target) : "/\(target)"
        // Two of them are refused further up, as always.
        if head.headers[canonicalForm: "host"].count <= 1 {
            head.headers.replaceOrAdd(name: "Host", value: String(authority))
        }
    }
}
