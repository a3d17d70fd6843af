/// The lowest layer: sending, waiting for the socket, receiving, and what the server's errors mean.
extension ServerSession {
    /// Checks that libpq took a command, then sends everything that is queued.
    func submit(_ accepted: Bool) async throws {
        guard accepted else { throw refused() }
        try await flush()
    }

    func flush() async throws {
        while true {
            switch libpq.flush() {
            case .done: return
            case .failed: throw lost(libpq.errorMessage)
            case .pending:
                // The server may itself be waiting for us to read, so reading goes on while sending.
                try await wait(.readOrWrite)
                guard libpq.consumeInput() else { throw lost(libpq.errorMessage) }
            }
        }
    }

    func wait(_ interest: Reactor.Interest) async throws {
        guard await reactor.wait(for: libpq.descriptor, interest, until: waitDeadline) == .ready else {
            throw lost("no answer in time")
        }
    }

    /// The next result of the running statement, `nil` at its end.
    func nextResult() async throws -> LibpqResult? {
        while libpq.isBusy {
            try await wait(.read)
            guard libpq.consumeInput() else { throw lost(libpq.errorMessage) }
        }
        return libpq.nextResult()
    }

    /// All results of the running statement.
    /// - Throws: the first error among them, after all have been received.
    @discardableResult
    func collectResults() async throws -> [LibpqResult] {
        var results: [LibpqResult] = []
        var failure: PostgresError?
        while let result = try await nextResult() {
            if result.status == .failed {
                failure = failure ?? error(from: result)
                if isLost { break }
            } else {
                results.append(result)
                if let refusal = try await refuseCopy(result) { failure = failure ?? refusal }
            }
        }
        namespaces.transactionEnded(ifIdle: libpq.transactionStatus == .idle)
        if let failure { throw failure }
        return results
    }

    /// Ends a COPY started where no data is expected; otherwise it would go on for ever.
    private func refuseCopy(_ result: LibpqResult) async throws -> PostgresError? {
        switch result.status {
        case .copyIn:
            try await submit(libpq.endCopy(failure: "not expected here"))
        case .copyOut:
            while true {
                switch libpq.nextCopyRow() {
                case .bytes: continue
                case .wait:
                    try await wait(.read)
                    guard libpq.consumeInput() else { throw lost(libpq.errorMessage) }
                    continue
                case .end, .failed: break
                }
                break
            }
        default: return nil
        }
        return PostgresError(.protocolViolation, "COPY runs through copyIn and copyOut only.")
    }

    /// Runs statements by the simple protocol.
    func runScript(_ text: String) async throws -> [LibpqResult] {
        try await submit(libpq.send(script: text))
        return try await collectResults()
    }

    func refused() -> PostgresError {
        guard !libpq.isBroken else { return lost(libpq.errorMessage) }
        var error = PostgresError(.protocolViolation, "The database connection is not ready for a statement.")
        error.serverMessage = libpq.errorMessage
        return error
    }

    func error(from result: LibpqResult) -> PostgresError {
        let state = result.errorField(.sqlState)
        // Class 57P: the server is ending this session, though it can still say so. 08: connection exceptions.
        if libpq.isBroken || state == nil || ["57P01", "57P02", "57P03", "57P05"].contains(state) {
            var error = lost(result.errorMessage)
            error.sqlState = state
            return error
        }
        let isCancellation = state == "57014"
        var error =
            isCancellation
            ? PostgresError(.timedOut, "The server stopped the statement.")
            : PostgresError(.server, "The server refused the statement.")
        error.sqlState = state
        error.schemaName = result.errorField(.schema)
        error.tableName = result.errorField(.table)
        error.columnName = result.errorField(.column)
        error.constraintName = result.errorField(.constraint)
        error.serverMessage = result.errorField(.message)
        error.detail = result.errorField(.detail)
        error.hint = result.errorField(.hint)
        error.context = result.errorField(.context)
        error.serverRoutine = result.errorField(.routine)
        return error
    }
}
