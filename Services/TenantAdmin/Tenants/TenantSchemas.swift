import Contracts
import Logging
import Postgres
import ServiceKit

/// Keeps every tenant's schema, and the template, at the newest of `migrations/tenant`.
struct TenantSchemas: Sendable {
    let pool: PostgresPool
    let migrations: [Migration]
    let logger: Logger

    /// How many tenants are brought up to date at once.
    var parallelism = 4
    /// How long a migration waits for a lock, and so how long a tenant's requests may queue behind it.
    var lockTimeout = "2s"
    /// How often a tenant whose tables are busy is tried.
    var attempts = 10

    init(pool: PostgresPool, migrationsDirectory: String, logger: Logger) throws {
        self.pool = pool
        self.migrations = try Migrations.load(directory: migrationsDirectory)
        self.logger = logger
    }

    /// Makes the schema with all its objects, owned by the tenant's role, inside the transaction under way. The role must
    /// exist; afterwards the transaction acts as it, in that schema.
    /// - Throws: 503 when a node of a newer version has begun its rollout.
    func create(_ names: TenantNames, on connection: PostgresConnection) async throws {
        try await requireNewest(on: connection)
        try await connection.execute(
            "create schema \(identifier: names.schema) authorization \(identifier: names.role)")
        try await TenantDatabase.enter(names, on: connection)
        try await Migrations.apply(migrations, to: names.schema, on: connection)
    }

    /// A rollout lists the tenants after it has migrated the template. A tenant that this node made later, from older files,
    /// would be in no rollout's list and stay behind; under the template's lock it is made before, or refused.
    private func requireNewest(on connection: PostgresConnection) async throws {
        try await Migrations.lock(schema: TenantNames.template, on: connection)
        let applied = try await Migrations.applied(in: TenantNames.template, on: connection).last?.number ?? 0
        guard applied <= migrations.map(\.number).max() ?? 0 else {
            throw ProblemError.unavailable("The platform is being brought up to date; try again in a moment.")
        }
    }

    /// Rolls the migrations over the template and all tenants, deleted ones included: they may be restored. A tenant that
    /// fails does not keep the others back, and one that is done is recorded in its own transaction, so a run that was
    /// cut short goes on where it stopped.
    /// - Throws: the first failure, when all others have been tried.
    func migrateAll() async throws {
        try await migrateTemplate()
        let rows = try await pool.withConnection { connection in
            try await connection.query("select id, schema_name, role_name from tenant_admin.tenants order by id")
        }
        var waiting = try rows.map { row in
            TenantNames(schema: try row.decode("schema_name"), role: try row.decode("role_name"))
        }[...]
        var failure: (any Error)?
        await withTaskGroup(of: (any Error)?.self) { group in
            for _ in 0..<parallelism {
                if let names = waiting.popFirst() { group.addTask { await outcome(of: names) } }
            }
            while let result = await group.next() {
                if let result { failure = failure ?? result }
                if let names = waiting.popFirst(), !Task.isCancelled { group.addTask { await outcome(of: names) } }
            }
        }
        if let failure { throw failure }
    }

    private func outcome(of names: TenantNames) async -> (any Error)? {
        do {
            try await migrate(names)
            return nil
        } catch {
            logger.error(
                "A tenant's schema could not be migrated",
                metadata: ["schema": "\(names.schema)", "error": "\(error)"])
            return error
        }
    }

    /// Each attempt is one transaction, so a schema is at one of its migrations' ends, never in between.
    private func migrate(_ names: TenantNames) async throws {
        for attempt in 1... {
            do {
                let applied = try await pool.withTransaction { connection in
                    try await Migrations.lock(schema: names.schema, on: connection)
                    try await connection.setLocal(role: names.role, settings: ["lock_timeout": lockTimeout])
                    return try await Migrations.apply(migrations, to: names.schema, on: connection)
                }
                report(applied, to: names.schema)
                return
            } catch let error as PostgresError where error.sqlState == Self.lockNotAvailable && attempt < attempts {
                logger.info("A tenant's tables are busy, trying again", metadata: ["schema": "\(names.schema)"])
                try await Task.sleep(for: .milliseconds(100 * attempt))
            }
        }
    }

    private func migrateTemplate() async throws {
        let applied = try await pool.withTransaction { connection in
            try await Migrations.lock(schema: TenantNames.template, on: connection)
            try await connection.execute("create schema if not exists \(identifier: TenantNames.template)")
            return try await Migrations.apply(migrations, to: TenantNames.template, on: connection)
        }
        report(applied, to: TenantNames.template)
    }

    private func report(_ applied: [Migration], to schema: String) {
        for migration in applied {
            logger.info("Applied a migration", metadata: ["schema": "\(schema)", "migration": "\(migration.name)"])
        }
    }

    private static let lockNotAvailable = "55P03"
}
