import Basics
import Contracts
import Logging
import Postgres
import ServiceKit

/// Keeps every tenant's schema, and the template, at the newest of `migrations/tenant`.
struct TenantSchemas: Sendable {
    let pool: PostgresPool
    /// In order.
    let migrations: [Migration]
    /// What those up to its number give in an empty schema; nil where none of them has that number.
    private let squashed: Migration?
    let logger: Logger

    /// How many tenants are brought up to date at once.
    var parallelism = 4
    /// With tables that are busy. A tenant that stays busy waits for the next rollout.
    var patience = LockPatience()

    /// The number of the newest migration.
    var newest: Int { migrations.map(\.number).max() ?? 0 }

    init(pool: PostgresPool, migrationsDirectory: String, logger: Logger) throws {
        self.pool = pool
        let migrations = try Migrations.load(directory: migrationsDirectory)
        self.migrations = migrations
        squashed = try Migrations.load(directory: migrationsDirectory + "/squashed").last { squashed in
            migrations.contains { $0.number == squashed.number }
        }
        self.logger = logger
    }

    /// Makes the schema with all its objects, owned by the tenant's role, inside the transaction under way. The role must
    /// exist; afterwards the transaction acts as it, in that schema.
    /// - Throws: 503 when a node of a newer version has begun its rollout.
    func create(_ names: TenantNames, on connection: PostgresConnection) async throws {
        try await requireNewest(on: connection)
        try await connection.execute(
            "CREATE SCHEMA \(identifier: names.schema) AUTHORIZATION \(identifier: names.role)")
        try await TenantDatabase.enter(names, on: connection)
        try await Migrations.create(names.schema, by: migrations, squashed: squashed, on: connection)
    }

    /// A rollout lists the tenants after it has migrated the template. A tenant that this node made later, from older files,
    /// would be in no rollout's list and stay behind; under the template's lock it is made before, or refused.
    func requireNewest(on connection: PostgresConnection) async throws {
        try await Migrations.lockShared(schema: TenantNames.template, on: connection)
        let applied = try await Migrations.applied(in: TenantNames.template, on: connection).last?.number ?? 0
        guard applied <= newest else {
            throw ProblemError.unavailable("The platform is being brought up to date; try again in a moment.")
        }
    }

    /// How far a rollout is.
    struct Progress: Sendable, Equatable {
        /// Tenants that were behind when it began.
        let total: Int
        var migrated = 0
        /// Those whose tables were busy, or whose migration does not fit them.
        var failed = 0

        /// Tenants that were tried.
        var ended: Int { migrated + failed }
    }

    /// Rolls the migrations over the template and all tenants that are behind, deleted ones included: they may be restored. A
    /// tenant that fails does not keep the others back, and one that is done is recorded in its own transaction, so a run
    /// that was cut short goes on where it stopped.
    /// - Throws: the first failure, when all others have been tried.
    @discardableResult
    func migrateAll(progress report: @Sendable (Progress) -> Void = { _ in }) async throws -> Progress {
        try await migrateTemplate()
        return try await migrateTenants(progress: report)
    }

    @discardableResult
    func migrateTenants(progress report: @Sendable (Progress) -> Void = { _ in }) async throws -> Progress {
        let rows = try await pool.withConnection { connection in
            try await connection.query(
                """
                SELECT schema_name, role_name FROM tenant_admin.tenants WHERE schema_version < \(newest)
                ORDER BY is_active DESC, id
                """)
        }
        var waiting = try rows.map { row in
            TenantNames(schema: try row.decode("schema_name"), role: try row.decode("role_name"))
        }[...]
        var progress = Progress(total: waiting.count)
        report(progress)
        var failure: (any Error)?
        await withTaskGroup(of: (any Error)?.self) { group in
            for _ in 0..<parallelism {
                if let names = waiting.popFirst() { group.addTask { await outcome(of: names) } }
            }
            while let result = await group.next() {
                if let result {
                    failure = failure ?? result
                    progress.failed += 1
                } else {
                    progress.migrated += 1
                }
                report(progress)
                if let names = waiting.popFirst(), !Task.isCancelled { group.addTask { await outcome(of: names) } }
            }
        }
        if let failure { throw failure }
        return progress
    }

    /// How many tenants' schemas are older than the newest migration, and how many tenants there are, deleted ones included.
    func tenantsBehind() async throws -> (behind: Int, total: Int) {
        try await pool.withConnection { connection in
            let rows = try await connection.query(
                """
                SELECT count(*) FILTER (WHERE schema_version < \(newest)) AS behind, count(*) AS total
                FROM tenant_admin.tenants
                """)
            return (try rows[0].decode("behind"), try rows[0].decode("total"))
        }
    }

    private func outcome(of names: TenantNames) async -> (any Error)? {
        do {
            try await migrate(names)
            return nil
        } catch {
            logger.error(
                "Migrating a tenant's schema failed",
                metadata: [LogKey.schema: "\(names.schema)", LogKey.error: "\(LogText.of(error))"])
            return error
        }
    }

    /// Each file is one transaction, so that its locks are held as shortly as can be, and a schema is at the end of one of its
    /// migrations, never in between.
    private func migrate(_ names: TenantNames) async throws {
        var isBehind = true
        while isBehind {
            let pending = try await patience.migrating(names.schema, logger: logger) {
                try await applyFirst(to: names)
            }
            report(pending.prefix(1), to: names.schema)
            isBehind = pending.count > 1
        }
    }

    /// Applies the first of what is pending, in as few round trips as a tenant's work needs.
    /// - Returns: what was pending.
    private func applyFirst(to names: TenantNames) async throws -> [Migration] {
        try await pool.withTransaction { connection in
            try await connection.setLocal(
                role: names.role, searchPath: [names.schema], settings: ["lock_timeout": patience.timeout])
            let pending = try Migrations.pending(
                migrations, applied: try await Migrations.lockedApplied(in: names.schema, on: connection))
            if let first = pending.first { try await Migrations.apply(first, to: names.schema, on: connection) }
            let version = pending.first?.number ?? newest
            try await connection.executeBatch([
                "SET LOCAL ROLE NONE",
                """
                UPDATE tenant_admin.tenants SET schema_version = \(version)
                WHERE schema_name = \(names.schema) AND schema_version < \(version)
                """,
            ])
            return pending
        }
    }

    /// The template's tables are read by backups, and by dry runs of imports, which begin no more while this waits for the end of those
    /// under way (``readTemplate(on:)``). Creations of tenants wait for this transaction once these have ended.
    func migrateTemplate() async throws {
        guard try await !isTemplateCurrent() else { return }
        let applied = try await patience.migrating(TenantNames.template, logger: logger) {
            try await pool.withTransaction { connection in
                try await connection.execute("SELECT pg_advisory_xact_lock(\(sql: Self.templateReaders))")
                try await Migrations.lock(schema: TenantNames.template, on: connection)
                try await connection.setLocal(settings: ["lock_timeout": patience.timeout])
                try await connection.execute("CREATE SCHEMA IF NOT EXISTS \(identifier: TenantNames.template)")
                return try await Migrations.apply(migrations, to: TenantNames.template, on: connection)
            }
        }
        report(applied, to: TenantNames.template)
    }

    private func isTemplateCurrent() async throws -> Bool {
        try await pool.withTransaction(readOnly: true) { connection in
            try Migrations.pending(
                migrations, applied: try await Migrations.applied(in: TenantNames.template, on: connection)
            ).isEmpty
        }
    }

    private static let templateReaders: SQL = "hashtextextended('erm readers of the template', 0)"

    /// Before a transaction of seconds reads the template's tables: while a migration of them is due, it would never find them free.
    /// - Throws: 503 while one is.
    static func readTemplate(on connection: PostgresConnection) async throws {
        let isFree: Bool = try await connection.query(
            "SELECT pg_try_advisory_xact_lock_shared(\(sql: templateReaders)) AS is_free")[0].decode("is_free")
        guard isFree else {
            throw ProblemError.unavailable("The platform is being brought up to date; try again in a moment.")
        }
    }

    private func report(_ applied: some Sequence<Migration>, to schema: String) {
        for migration in applied {
            logger.info(
                "Migration applied", metadata: [LogKey.schema: "\(schema)", LogKey.migration: "\(migration.name)"])
        }
    }

    /// True while a tenant's schema is older than the change feed: changes by older nodes are missing from the feed.
    static let someTellNoChanges: SQL = "EXISTS (SELECT FROM tenant_admin.tenants WHERE schema_version < 45)"
}
