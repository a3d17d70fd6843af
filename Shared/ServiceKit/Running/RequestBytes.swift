import NIOCore

/// The first handler of a connection: lets no request be read before the one before it has been answered.
///
/// A client may send requests ahead. What it sends ahead waits here as bytes, no more than one read of the socket, and the
/// socket is not read meanwhile; decoded, the same bytes would take a hundred times the memory. A body is never held.
///
/// It also tells an unknown method from what is no request line at all, which the HTTP parser does not.
final class RequestBytes: ChannelInboundHandler, ChannelOutboundHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundIn = NIOAny
    typealias OutboundOut = NIOAny

    /// What a client may send after the last answer before the socket is left alone.
    static let discardedBytes = 256 * 1024
    /// So much is decoded at once at most while it is not known where a request ends.
    private static let headSlice = 2 * 1024
    private static let chunkedSlice = 16 * 1024
    /// A method is no longer than that here.
    private static let longestMethod = 24

    /// Where the connection's next bytes belong.
    enum Demand {
        /// To no request: all of them wait.
        case nothing
        case requestHead
        /// So many bytes certainly belong to an incomplete body.
        case body(Int)
        case chunkedBody
    }

    /// Asked before each piece is passed on.
    var demand: () -> Demand = { .requestHead }
    /// Whether what arrived last begins with a word, a space and a target: `BREW /hello`.
    private(set) var beginsWithMethod = false
    private var held: ByteBuffer?
    private var holdsEnd = false
    private var readIsDue = false
    private var discarded: Int?
    private var context: ChannelHandlerContext?

    /// No further request will be answered.
    func discard() {
        discarded = discarded ?? 0
        held = nil
    }

    /// Whether something that was sent ahead waits.
    var holds: Bool { held != nil }

    /// The request before has been answered.
    func resume() {
        guard let context, var buffer = held else { return }
        held = nil
        feed(&buffer, context)
        context.fireChannelReadComplete()
        guard held == nil else { return }
        if holdsEnd {
            holdsEnd = false
            context.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
        }
        if readIsDue {
            readIsDue = false
            context.read()
        }
    }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var buffer = unwrapInboundIn(data)
        if let count = discarded {
            discarded = count + buffer.readableBytes
        } else if held != nil {
            held?.writeBuffer(&buffer)
        } else {
            feed(&buffer, context)
        }
    }

    func read(context: ChannelHandlerContext) {
        if held != nil {
            readIsDue = true
        } else if discarded.map({ $0 < Self.discardedBytes }) ?? true {
            context.read()
        }
    }

    /// The end of what the client sends comes after what it has sent.
    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if held != nil, case ChannelEvent.inputClosed? = event as? ChannelEvent {
            holdsEnd = true
        } else {
            context.fireUserInboundEventTriggered(event)
        }
    }

    private func feed(_ buffer: inout ByteBuffer, _ context: ChannelHandlerContext) {
        beginsWithMethod = Self.beginsWithMethod(buffer.readableBytesView)
        while buffer.readableBytes > 0, discarded == nil {
            let length: Int
            switch demand() {
            case .nothing:
                held = buffer
                return
            case .requestHead: length = buffer.withUnsafeReadableBytes(Self.headLength)
            case .body(let count): length = max(count, Self.headSlice)
            case .chunkedBody: length = Self.chunkedSlice
            }
            guard let slice = buffer.readSlice(length: min(length, buffer.readableBytes)) else { return }
            context.fireChannelRead(wrapInboundOut(slice))
        }
    }

    /// Up to the end of the head, if that is there: what follows is not decoded with it, be it a body, which then comes in one piece, or
    /// the next request.
    private static func headLength(_ bytes: UnsafeRawBufferPointer) -> Int {
        let (carriageReturn, lineFeed) = (UInt8(ascii: "\r"), UInt8(ascii: "\n"))
        var end = 4
        while end <= min(bytes.count, headSlice) {
            switch bytes[end - 1] {
            case lineFeed
            where bytes[end - 2] == carriageReturn && bytes[end - 3] == lineFeed && bytes[end - 4] == carriageReturn:
                return end
            case lineFeed, carriageReturn: end += 1
            // No empty line ends at this byte nor at one of the next three.
            default: end += 4
            }
        }
        return headSlice
    }

    private static func beginsWithMethod(_ bytes: ByteBufferView) -> Bool {
        guard let space = bytes.prefix(longestMethod + 1).firstIndex(of: UInt8(ascii: " ")), space > bytes.startIndex
        else { return false }
        let isWord = bytes[..<space].allSatisfy {
            (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0) || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0)
                || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_")
        }
        let target = bytes.index(after: space)
        return isWord && target < bytes.endIndex
            && (bytes[target] == UInt8(ascii: "/") || bytes[target] == UInt8(ascii: "*"))
    }
}
