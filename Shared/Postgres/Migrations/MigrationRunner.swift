import Basics
public import Logging

/// Brings a service's schema up to date, each file in a transaction of its own. Any number of nodes may run it at once:
/// one applies, the others wait and find nothing left to do.
public struct MigrationRunner: Sendable {
    private let pool: PostgresPool
    private let schema: String
    private let directory: String
    private let patience: LockPatience
    private let logger: Logger

    /// - Parameters:
    ///   - schema: the service's schema; made if it does not exist. It holds `schema_migrations`.
    ///   - directory: the folder of `NNNN_what.sql` files.
    ///   - patience: with locks that others hold, as nodes of the former release do while they serve.
    public init(
        pool: PostgresPool, schema: String, directory: String, patience: LockPatience = LockPatience(), logger: Logger
    ) {
        self.pool = pool
        self.schema = schema
        self.directory = directory
        self.patience = patience
        self.logger = logger
    }

    /// Applies what is pending.
    /// - Returns: the names of the files applied by this call, in order.
    /// - Throws: `migration` if files are inconsistent with what was applied, or one fails, as one does whose tables stay
    ///   locked; those before it stay applied, of the failing one nothing remains.
    @discardableResult
    public func run() async throws -> [String] {
        let migrations = try Migrations.load(directory: directory)
        var names: [String] = []
        while let migration = try await applyNext(of: migrations) {
            logger.info(
                "Migration applied", metadata: [LogKey.schema: "\(schema)", LogKey.migration: "\(migration.name)"])
            names.append(migration.name)
        }
        return names
    }

    private func applyNext(of migrations: [Migration]) async throws -> Migration? {
        try await patience.migrating(schema, logger: logger) {
            try await pool.withTransaction { connection in
                // Only those who migrate queue behind this lock: they may wait for as long as the one that was first takes.
                try await Migrations.lock(schema: schema, on: connection)
                try await connection.setLocal(settings: ["lock_timeout": patience.timeout])
                try await createSchema(on: connection)
                return try await Migrations.apply(migrations, to: schema, on: connection, limit: 1).first
            }
        }
    }

    /// `create schema if not exists` asks for the right to create schemas even where there is nothing to create.
    private func createSchema(on connection: PostgresConnection) async throws {
        let rows = try await connection.query(
            "SELECT EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname = \(schema))")
        if try !rows[0].decode(at: 0, as: Bool.self) {
            try await connection.execute("CREATE SCHEMA \(identifier: schema)")
        }
    }
}
