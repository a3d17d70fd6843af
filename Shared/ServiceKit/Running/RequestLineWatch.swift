import NIOCore

/// Tells an unknown method from what is no request line at all, which the HTTP parser does not; before the HTTP codec.
///
/// It looks at the beginning of what arrived last, which is where a request begins except for requests sent ahead in one
/// piece; there a doubt is resolved as "no request line".
final class RequestLineWatch: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    /// A method is no longer than that here.
    private static let longestMethod = 24

    /// Whether what arrived last begins with a word, a space and a target: `BREW /hello`.
    private(set) var beginsWithMethod = false

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        beginsWithMethod = Self.beginsWithMethod(unwrapInboundIn(data).readableBytesView)
        context.fireChannelRead(data)
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
