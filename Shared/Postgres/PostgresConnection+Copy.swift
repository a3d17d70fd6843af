extension PostgresConnection {
    /// Sends `chunks` to a `copy … from stdin` statement, at the pace at which the server takes them. Chunks may be cut
    /// anywhere. If `chunks` throws or the task is cancelled nothing is copied and that error is thrown.
    /// - Returns: the number of rows copied.
    public func copyIn<Chunks: AsyncSequence>(
        _ target: SQL, chunks: Chunks, isolation: isolated (any Actor)? = #isolation,
        file: String = #fileID, line: Int = #line
    ) async throws -> Int where Chunks.Element == [UInt8] {
        do {
            let copy = try await session.openCopyIn(lease: lease, try RenderedSQL(target))
            do {
                var iterator = chunks.makeAsyncIterator()
                while let chunk = try await iterator.next(isolation: isolation) {
                    try await session.sendCopy(lease: lease, chunk, to: copy)
                }
                guard !Task.isCancelled else { throw ServerSession.cancelled }
            } catch {
                await session.abortCopyIn(lease: lease, copy)
                throw error
            }
            return try await session.completeCopyIn(lease: lease, copy)
        } catch let error as PostgresError {
            throw error.at(file: file, line: line)
        }
    }

    /// Runs a `copy … to stdout` statement and gives its bytes as they arrive, whole rows in chunks of about 64 KiB.
    /// COPY takes no binds: use `\(literal:)` and `\(identifier:)`.
    public func copyOut(_ source: SQL) -> PostgresCopyOutSequence {
        PostgresCopyOutSequence(connection: self, source: source)
    }
}
