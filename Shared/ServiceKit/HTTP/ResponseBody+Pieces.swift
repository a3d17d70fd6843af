public import Hummingbird
public import NIOCore

extension ResponseBody {
    /// A body that is held in memory, written piece by piece, the next when the client has taken most of the one before.
    ///
    /// Written at once, a long body would stand in the memory of each connection whose client does not read, encrypted even once more.
    ///
    /// - Parameter bytes: of a piece.
    public static func inPieces(_ buffer: ByteBuffer, of bytes: Int = 64 * 1024) -> ResponseBody {
        guard buffer.readableBytes > bytes else { return ResponseBody(byteBuffer: buffer) }
        return ResponseBody(contentLength: buffer.readableBytes) { writer in
            var rest = buffer
            while let piece = rest.readSlice(length: min(bytes, rest.readableBytes)), piece.readableBytes > 0 {
                try await writer.write(piece)
            }
            try await writer.finish(nil)
        }
    }
}
