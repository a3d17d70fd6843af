/// Single statements, with the cache of prepared ones.
extension ServerSession {
    /// Runs one statement and gives its result.
    func run(_ statement: RenderedSQL) async throws -> LibpqResult {
        let traits = knownTraits.of(statement.text)
        do {
            try await send(statement, traits)
            let results = try await collectResults()
            note(traits)
            guard let result = results.last else {
                throw PostgresError(.protocolViolation, "The server gave no result.")
            }
            return result
        } catch let error as PostgresError {
            note(traits)
            if try await recover(statement, traits, from: error) {
                try await send(statement, traits)
                if let result = try await collectResults().last { return result }
            }
            throw error.running(statement.text)
        }
    }

    /// Sends a statement, prepared if that pays.
    func send(_ statement: RenderedSQL, _ traits: StatementTraits) async throws {
        if let name = try await preparedName(for: statement.text, traits) {
            try await submit(libpq.send(prepared: name, binds: statement.binds))
        } else {
            try await submit(libpq.send(text: statement.text, binds: statement.binds))
        }
    }

    /// The name under which the statement is prepared, preparing it if need be; `nil` if it is better sent as it is.
    func preparedName(for text: String, _ traits: StatementTraits) async throws -> String? {
        // In a failed transaction nothing can be prepared; the server's refusal of the statement itself says it best.
        guard cache.capacity > 0, traits.isPreparable, libpq.transactionStatus != .inFailedTransaction else {
            return nil
        }
        let key = StatementCache.Key(namespace: try await namespace(), text: text)
        if let name = cache.name(for: key) { return name }
        for name in cache.takeEvicted() { _ = try await runScript("DEALLOCATE \(name)") }
        let name = cache.makeName()
        try await submit(libpq.send(prepare: name, text: text))
        try await collectResults()
        cache.insert(name, for: key)
        return name
    }

    /// The schemas in which unqualified names now resolve.
    private func namespace() async throws -> String {
        if let known = namespaces.current { return known }
        try await submit(libpq.send(text: Self.namespaceQuery, binds: []))
        let answer = try await collectResults().first?.text(row: 0, column: 0) ?? ""
        namespaces.learned(answer, inTransaction: libpq.transactionStatus != .idle)
        return answer
    }

    static let namespaceQuery = "SELECT pg_catalog.current_schemas(true)::text"

    /// Drops a statement from the cache.
    func forget(_ text: String) {
        if let namespace = namespaces.current { cache.remove(StatementCache.Key(namespace: namespace, text: text)) }
    }

    /// Remembers what a statement may have changed.
    func note(_ traits: StatementTraits) {
        if traits.mayChangeSession { isSessionTouched = true }
        guard traits.mayChangeNamespace else { return }
        let status = libpq.transactionStatus
        namespaces.mayHaveChanged(
            inTransaction: status != .idle, beyondTransaction: traits.mayChangeSession)
    }

    /// Forgets a prepared statement that no longer fits its tables, or that the server no longer knows.
    /// - Returns: whether the statement may be sent again: it did nothing, and no transaction failed with it.
    func recover(_ statement: RenderedSQL, _ traits: StatementTraits, from error: PostgresError) async throws -> Bool {
        guard !isLost, traits.isPreparable, namespaces.current != nil else { return false }
        let isForgotten = error.sqlState == "26000"
        if isForgotten {
            cache.forgetAll()
        } else if error.isStalePlan || error.sqlState?.hasPrefix("42") == true {
            // Class 42 too: parameter types fixed before the table was altered show as type errors.
            forget(statement.text)
        }
        return (error.isStalePlan || isForgotten) && libpq.transactionStatus == .idle
    }
}
