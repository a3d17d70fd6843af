extension Migrations {
    /// What `schema_migrations` says of a migration.
    public typealias Record = (number: Int, name: String, checksum: String)

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
        if try await !hasTable(in: schema, on: connection) { try await connection.execute(table(in: schema)) }
        let pending = try pending(ordered, applied: try await applied(in: schema, on: connection)).prefix(limit)
        for migration in pending { try await apply(migration, to: schema, on: connection) }
        return Array(pending)
    }

    /// Applies one and records it, in one round trip: `schema` has `schema_migrations`, which says that it is pending. As
    /// ``apply(_:to:on:limit:)`` otherwise.
    public static func apply(
        _ migration: Migration, to schema: String, on connection: PostgresConnection
    ) async throws {
        try await run(migration, in: schema, after: [record([migration], in: schema)], on: connection)
    }

    /// Makes what `migrations` give in `schema`, which must be empty. As ``apply(_:to:on:limit:)`` otherwise.
    /// - Parameter squashed: one script instead of the migrations up to its number, which are recorded as if applied.
    public static func create(
        _ schema: String, by migrations: [Migration], squashed: Migration?, on connection: PostgresConnection
    ) async throws {
        guard let squashed else {
            try await apply(migrations, to: schema, on: connection)
            return
        }
        let ordered = try ordered(migrations)
        let replaced = ordered.prefix { $0.number <= squashed.number }
        try await run(
            squashed, in: schema, after: [table(in: schema), record(replaced, in: schema)], on: connection)
        for migration in ordered.dropFirst(replaced.count) {
            try await apply(migration, to: schema, on: connection)
        }
    }

    /// Waits until no other transaction migrates `schema`; released when the transaction ends, so it also works through
    /// a connection pooler.
    public static func lock(schema: String, on connection: PostgresConnection) async throws {
        try await connection.execute(lock(schema))
    }

    /// Keeps others from migrating `schema` until the transaction ends, but not those who only want the same.
    public static func lockShared(schema: String, on connection: PostgresConnection) async throws {
        try await connection.execute(
            "SELECT pg_advisory_xact_lock_shared(hashtextextended('erm migrations of ' || \(schema)::text, 0))")
    }

    /// What `schema.schema_migrations` records, in order; empty if there is no such table.
    public static func applied(in schema: String, on connection: PostgresConnection) async throws -> [Record] {
        guard try await hasTable(in: schema, on: connection) else { return [] }
        return try await connection.query(records(in: schema)).map { try $0.decode(Int.self, String.self, String.self) }
    }

    /// Takes ``lock(schema:on:)`` and then reads what `schema.schema_migrations`, which must be there, records, in one round
    /// trip.
    public static func lockedApplied(in schema: String, on connection: PostgresConnection) async throws -> [Record] {
        // Two statements: one alone would see what was committed before it began to wait.
        try await connection.queries([lock(schema), records(in: schema)], prepared: false)[1].map {
            try $0.decode(Int.self, String.self, String.self)
        }
    }

    private static func lock(_ schema: String) -> SQL {
        "SELECT pg_advisory_xact_lock(hashtextextended('erm migrations of ' || \(schema)::text, 0))"
    }

    private static func records(in schema: String) -> SQL {
        "SELECT number, name, checksum FROM \(identifier: schema, "schema_migrations") ORDER BY number"
    }

    private static func hasTable(in schema: String, on connection: PostgresConnection) async throws -> Bool {
        // By the very name: pg_tables would look at the tables of that name in all schemas, however many there are.
        let rows = try await connection.query(
            "SELECT to_regclass(format('%I.schema_migrations', \(schema)::text)) IS NOT NULL")
        return try rows[0].decode(at: 0)
    }

    private static func table(in schema: String) -> SQL {
        """
        CREATE TABLE \(identifier: schema, "schema_migrations") (
            number integer PRIMARY KEY,
            name text NOT NULL,
            checksum text NOT NULL,
            applied_at timestamptz NOT NULL DEFAULT now()
        )
        """
    }

    private static func record(_ migrations: some Sequence<Migration>, in schema: String) -> SQL {
        let rows = migrations.map { migration -> SQL in
            "(\(literal: String(migration.number)), \(literal: migration.name), \(literal: migration.checksum))"
        }
        return """
            INSERT INTO \(identifier: schema, "schema_migrations") (number, name, checksum)
            VALUES \(sql: rows.joined(separator: ", "))
            """
    }

    /// Runs `first` and then the file, all in one round trip.
    private static func run(
        _ file: Migration, in schema: String, after first: [SQL], on connection: PostgresConnection
    ) async throws {
        do {
            // Again after the file, which may change it: the next one starts alike whichever came before.
            let path: SQL = "SET LOCAL search_path = \(identifier: schema)"
            let own = try (first + [path]).map { try RenderedSQL($0).text }
            // The file's last line may be a comment.
            let script = (own + [file.sql + "\n", own[first.count]]).joined(separator: ";\n")
            let commands = try await connection.commands(ofScript: script)
            guard !commands.contains(where: endingTransactions.contains) else {
                throw PostgresError(.migration, "The file ends the transaction it runs in.")
            }
        } catch let error as PostgresError
            where [.cancelled, .connectionLost].contains(error.code) || error.isRetryable
        {
            throw error
        } catch {
            var failure = PostgresError(.migration, "The migration \(file.name) failed.", underlying: error)
            failure.sqlState = (error as? PostgresError)?.sqlState
            throw failure
        }
    }

    /// By their command tags; `ROLLBACK TO SAVEPOINT`, which a file does not need, has that of `ROLLBACK`.
    private static let endingTransactions: Set = ["COMMIT", "ROLLBACK", "PREPARE TRANSACTION"]
}
