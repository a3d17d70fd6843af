/// COPY in both directions.
extension ServerSession {
    /// Starts `copy … from stdin`.
    func openCopyIn(_ statement: RenderedSQL) async throws -> ActiveStream {
        let stream = ActiveStream(.copyIn, startedInTransaction: libpq.transactionStatus != .idle)
        try await startCopy(statement, expecting: .copyIn)
        activeStream = stream
        return stream
    }

    /// Sends one chunk and waits until the socket has taken it.
    func sendCopy(_ bytes: [UInt8]) async throws {
        // libpq counts bytes in 32 bits.
        for start in stride(from: 0, to: bytes.count, by: 1 << 20) {
            try await submit(libpq.putCopy(Array(bytes[start..<min(start + 1 << 20, bytes.count)])))
        }
    }

    /// Ends the copy.
    /// - Parameter failure: why all of it is to be undone; `nil` completes it.
    /// - Returns: the number of rows copied.
    func endCopyIn(failure: String?) async throws -> Int {
        activeStream = nil
        try await submit(libpq.endCopy(failure: failure))
        return try await collectResults().last?.affectedRows ?? 0
    }

    /// Starts `copy … to stdout`; its data is then read by `nextCopyChunk`.
    func openCopyOut(_ statement: RenderedSQL) async throws -> ActiveStream {
        let stream = ActiveStream(.copyOut, startedInTransaction: libpq.transactionStatus != .idle)
        try await startCopy(statement, expecting: .copyOut)
        activeStream = stream
        return stream
    }

    /// The next bytes, whole rows of about 64 KiB together; `nil` at the end.
    func nextCopyChunk(of stream: ActiveStream) async throws -> [UInt8]? {
        guard activeStream === stream else { return nil }
        var chunk: [UInt8] = []
        while chunk.count < 65_536 {
            switch libpq.nextCopyRow() {
            case .bytes(let row): chunk.append(contentsOf: row)
            case .wait:
                guard chunk.isEmpty else { return chunk }
                try await wait(.read)
                guard libpq.consumeInput() else { throw lost(libpq.errorMessage) }
            case .end, .failed:
                activeStream = nil
                try await collectResults()
                return chunk.isEmpty ? nil : chunk
            }
        }
        return chunk
    }

    private func startCopy(_ statement: RenderedSQL, expecting status: LibpqResult.Status) async throws {
        do {
            try await submit(libpq.send(text: statement.text, binds: statement.binds))
            guard let result = try await nextResult() else { throw refused() }
            guard result.status == status else {
                let failure =
                    result.status == .failed
                    ? error(from: result)
                    : PostgresError(.protocolViolation, "The statement is not a COPY in this direction.")
                if result.status == .copyIn { try await submit(libpq.endCopy(failure: "wrong direction")) }
                if result.status == .copyOut { throw lost("a COPY in the wrong direction") }
                while !isLost, try await nextResult() != nil {}
                throw failure
            }
        } catch let error as PostgresError {
            throw error.running(statement.text)
        }
    }
}
