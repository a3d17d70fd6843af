/// What the holder of a lease may ask for; each is one exclusive exchange.
extension ServerSession {
    func query(lease: UInt64, _ statement: RenderedSQL) async throws -> LibpqResult {
        try await operate(lease: lease) { try await self.run(statement) }
    }

    func batch(
        lease: UInt64, _ statements: [RenderedSQL], preparing: BatchPreparation
    ) async throws -> [LibpqResult] {
        try await operate(lease: lease) { try await self.runBatch(statements, preparing: preparing) }
    }

    /// - Returns: the command tags.
    func script(lease: UInt64, _ text: String) async throws -> [String] {
        try await operate(lease: lease) {
            defer { self.note(.script) }
            do {
                return try await self.runScript(text).map(\.commandTag)
            } catch let error as PostgresError {
                throw error.running(text)
            }
        }
    }

    /// Begins, ends or marks a transaction.
    /// - Returns: the command tag.
    @discardableResult
    func control(lease: UInt64, _ command: String, ignoringCancellation: Bool = false) async throws -> String {
        try await operate(lease: lease, ignoringCancellation: ignoringCancellation) {
            // Clean-up has no task left that could be cancelled, so it is bounded in time.
            if ignoringCancellation, command != "commit" {
                self.waitDeadline = .now + self.configuration.cleanUpTimeout
            }
            defer { self.waitDeadline = nil }
            let results = try await self.runScript(command)
            if command.hasPrefix("rollback to") {
                self.namespaces.mayHaveChanged(inTransaction: true, beyondTransaction: false)
            }
            return results.last?.commandTag ?? ""
        }
    }

    /// `set local` of role, search path and settings in one round trip.
    func setLocal(lease: UInt64, role: String?, settings: [(name: String, value: String)]) async throws {
        try await operate(lease: lease) {
            guard self.libpq.transactionStatus != .idle else {
                throw PostgresError(.transactionAborted, "Local settings need an open transaction.")
            }
            var statements: [SQL] = []
            if let role {
                statements.append(Self.entering(role: role))
                self.note(role: role)
            }
            statements += settings.map { "SELECT pg_catalog.set_config(\($0.name), \($0.value), true)" }
            let rendered = try statements.map { try RenderedSQL($0) }
            let answers = try await self.runBatch(
                rendered + [try RenderedSQL(SQL(stringLiteral: Self.namespaceQuery))], preparing: .none)
            if let namespace = answers.last?.text(row: 0, column: 0) {
                self.namespaces.learned(namespace, inTransaction: true)
            }
        }
    }

    /// `SET LOCAL ROLE`, also right after roles were granted.
    ///
    /// A backend keeps the list of roles that its user is a member of, and reads it anew when one was granted. A grant that is
    /// committed while the list is being read is missed until the next one (Postgres 15, `roles_is_member_of`; at a thousand
    /// roles the reading takes some milliseconds). Only one such list is kept: a question about another role's memberships
    /// makes the backend read this one again.
    private static func entering(role: String) -> SQL {
        guard role != "none" else { return "SET LOCAL ROLE NONE" }
        return """
            SELECT CASE WHEN pg_catalog.pg_has_role(session_user, \(role)::name, 'MEMBER')
                OR pg_catalog.pg_has_role('pg_monitor', 'pg_read_all_stats', 'MEMBER')
                THEN pg_catalog.set_config('role', \(role), true) END
            """
    }

    func openStream(lease: UInt64, _ statement: RenderedSQL) async throws -> ActiveStream {
        try await operate(lease: lease) { try await self.openStream(statement) }
    }

    func nextRows(lease: UInt64, of stream: ActiveStream, atMost limit: Int) async throws -> [LibpqResult] {
        try await operate(lease: lease, stream: stream) { try await self.nextRows(of: stream, atMost: limit) }
    }

    func openCopyIn(lease: UInt64, _ statement: RenderedSQL) async throws -> ActiveStream {
        try await operate(lease: lease) { try await self.openCopyIn(statement) }
    }

    func sendCopy(lease: UInt64, _ bytes: [UInt8], to stream: ActiveStream) async throws {
        try await operate(lease: lease, stream: stream) { try await self.sendCopy(bytes) }
    }

    /// Ends the copy and undoes it. What goes wrong here makes the connection unfit, which the end of the lease notices.
    func abortCopyIn(lease: UInt64, _ stream: ActiveStream) async {
        _ = try? await operate(lease: lease, stream: stream, ignoringCancellation: true) {
            self.waitDeadline = .now + self.configuration.cleanUpTimeout
            defer { self.waitDeadline = nil }
            return try await self.endCopyIn(failure: "the sender gave up")
        }
    }

    func completeCopyIn(lease: UInt64, _ stream: ActiveStream) async throws -> Int {
        try await operate(lease: lease, stream: stream) { try await self.endCopyIn(failure: nil) }
    }

    func openCopyOut(lease: UInt64, _ statement: RenderedSQL) async throws -> ActiveStream {
        try await operate(lease: lease) { try await self.openCopyOut(statement) }
    }

    func nextCopyChunk(lease: UInt64, of stream: ActiveStream) async throws -> [UInt8]? {
        try await operate(lease: lease, stream: stream) { try await self.nextCopyChunk(of: stream) }
    }
}
