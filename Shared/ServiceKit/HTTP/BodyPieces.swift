public import Hummingbird
public import NIOCore

/// A request's body piece by piece, of which each may be read in another task.
///
/// Unchecked: the owner lets only one read at a time happen, each after the one before has ended.
public final class BodyPieces: @unchecked Sendable {
    private let body: RequestBody
    private var iterator: RequestBody.AsyncIterator?

    public init(_ body: RequestBody) { self.body = body }

    /// nil at the end. A read that is cancelled ends the connection's input.
    public func next() async throws -> ByteBuffer? {
        var iterator = iterator ?? body.makeAsyncIterator()
        defer { self.iterator = iterator }
        return try await iterator.next()
    }
}
