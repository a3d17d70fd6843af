import NIOCore

extension AsyncStream where Element == ByteBuffer {
    /// A body that comes at once.
    static func of(_ text: String) -> AsyncStream<ByteBuffer> {
        AsyncStream { continuation in
            continuation.yield(ByteBuffer(string: text))
            continuation.finish()
        }
    }
}
