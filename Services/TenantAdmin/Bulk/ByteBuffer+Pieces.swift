import NIOCore

extension ByteBuffer {
    /// Hands the bytes over in pieces: what a client has not taken of one stands in the memory of its connection.
    func writeInPieces(
        isolation: isolated (any Actor)? = #isolation, to write: (ByteBuffer) async throws -> Void
    ) async throws {
        var rest = self
        while let piece = rest.readSlice(length: min(64 * 1024, rest.readableBytes)), piece.readableBytes > 0 {
            try await write(piece)
        }
    }
}
