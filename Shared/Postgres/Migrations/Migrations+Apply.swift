extension Migrations {
    /// Applies what is pending to `schema` inside the current transaction on `connection`, and records each step in
    /// `schema.schema_migrations`. The schema must exist. If it throws, the transaction has to be rolled back.
    ///
    /// The caller's transaction decides the rest: role, lock timeout, and mutual exclusion with ``lock(schema:on:)``. The
    /// search path is left at `schema` alone.
    /// - Parameter limit: how many to apply at most.
    /// - Returns: the migrations applied now.
    /// - Throws: `migration` for inconsistent or failing files; the server's error is then the underlying one.
    @discardableResult
    public static func apply(
        _ migrations: [Migration], to schema: String, on connection: PostgresConnection, limit: Int = .max
    ) async throws -> [Migration] {
        let ordered = try ordered(migrations)
        try await connection.setLocal(searchPath: [schema])
        try await createTable(in: schema, on: connection)
        let pending = try pending(ordered, applied: try await applied(in: schema, on: connection)).prefix(limit)
        for migration in pending {
            try await apply(migration, to: schema, on: connection)
        }
        return Array(pending)
    }

    /// Waits until no other transaction migrates `schema`; released when the transaction ends, so it also works through
    /// a connection pooler.
    public static func lock(schema: String, on connection: PostgresConnection) async throws {
        try await connection.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended('erm migrations of ' || \(schema)::text, 0))")
    }

    /// Keeps others from migrating `schema` until the transaction ends, but not those who only want the same.
    public static func lockShared(schema: String, on connection: PostgresConnection) async throws {
        try await connection.execute(
            "SELECT pg_advisory_xact_lock_shared(hashtextextended('erm migrations of ' || \(schema)::text, 0))")
    }

    /// What `schema.schema_migrations` records, in order; empty if there is no such table.
    public static func applied(
        in schema: String, on connection: PostgresConnection
    ) async throws -> [(number: Int, name: String, checksum: String)] {
        guard try await hasTable(in: schema, on: connection) else { return [] }
        let rows = try await connection.query(
            "SELECT number, name, checksum FROM \(identifier: schema, "schema_migrations") ORDER BY number")
        return try rows.map { try $0.decode(Int.self, String.self, String.self) }
    }

    private static func hasTable(in schema: String, on connection: PostgresConnection) async throws -> Bool {
        // By the very name: pg_tables would look at the tables of that name in all schemas, however many there are.
        let rows = try await connection.query(
            "SELECT to_regclass(format('%I.schema_migrations', \(schema)::text)) IS NOT NULL")
        return try rows[0].decode(at: 0)
    }

    private static func createTable(in schema: String, on connection: PostgresConnection) async throws {
        guard try await !hasTable(in: schema, on: connection) else { return }
        try await connection.execute(
            """
            CREATE TABLE \(identifier: schema, "schema_migrations") (
                number integer PRIMARY KEY,
                name text NOT NULL,
                checksum text NOT NULL,
                applied_at timestamptz NOT NULL DEFAULT now()
            )
            """)
    }

    private static func apply(
        _ migration: Migration, to schema: String, on connection: PostgresConnection
    ) async throws {
        do {
            try await connection.execute(
                """
                INSERT INTO \(identifier: schema, "schema_migrations") (number, name, checksum)
                VALUES (\(migration.number), \(migration.name), \(migration.checksum))
                """)
            let transaction = try await transactionID(on: connection)
            try await connection.executeScript(migration.sql)
            guard try await transactionID(on: connection) == transaction else {
                throw PostgresError(.migration, "The file ends the transaction it runs in.")
            }
            // The file may have changed it; the next one starts alike whichever came before.
            try await connection.setLocal(searchPath: [schema])
        } catch let error as PostgresError
            where [.cancelled, .connectionLost].contains(error.code) || error.isRetryable
        {
            throw error
        } catch {
            var failure = PostgresError(.migration, "The migration \(migration.name) failed.", underlying: error)
            failure.sqlState = (error as? PostgresError)?.sqlState
            throw failure
        }
    }

    /// NULL outside a transaction that has written something.
    private static func transactionID(on connection: PostgresConnection) async throws -> String? {
        try await connection.query("SELECT pg_current_xact_id_if_assigned()::text AS id")[0].decode("id")
    }
}
