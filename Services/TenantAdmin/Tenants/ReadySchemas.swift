import Basics
import Contracts
import Logging
import Postgres
import ServiceKit
import ServiceLifecycle

/// A schema made ahead for a future tenant, with that tenant's id, the default roles and ``TenantDefaults/examples``.
///
/// It is taken by its version: a release that changes what is written into it needs a migration of tenants, or new tenants get what the
/// former release wrote.
struct ReadySchema: Sendable {
    let id: TenantID
    let schema: String

    /// Makes it the tenant's, in the transaction under way, which acts as the tenant afterwards.
    func adopt(_ names: TenantNames, on connection: PostgresConnection) async throws {
        try await connection.execute(
            "SELECT erm_provisioning.adopt_schema(\(id), \(schema)::name, \(names.schema)::name)")
        try await TenantDatabase.enter(names, on: connection)
    }
}

/// The schemas made ahead: a new tenant takes one of them and need not wait for its some hundred objects.
struct ReadySchemas: Sendable {
    let schemas: TenantSchemas

    /// Takes one of this version; nil when there is none.
    /// - Throws: 503 when a node of a newer version has begun its rollout.
    func take(on connection: PostgresConnection) async throws -> ReadySchema? {
        let rows = try await connection.query(
            """
            DELETE FROM tenant_admin.ready_schemas WHERE id = (
                SELECT id FROM tenant_admin.ready_schemas WHERE schema_version = \(schemas.newest)
                ORDER BY created_at LIMIT 1 FOR UPDATE SKIP LOCKED)
            RETURNING id, schema_name
            """)
        guard let row = rows.first else { return nil }
        try await schemas.requireNewest(on: connection)
        return ReadySchema(id: try row.decode("id"), schema: try row.decode("schema_name"))
    }

    /// How many of this version are there.
    func count() async throws -> Int {
        try await schemas.pool.withConnection { connection in
            try await connection.query(
                "SELECT count(*) AS n FROM tenant_admin.ready_schemas WHERE schema_version = \(schemas.newest)")[0]
                .decode("n")
        }
    }

    /// Makes one if fewer than `count` of this version are there.
    /// - Returns: whether one was made.
    func fill(to count: Int) async throws -> Bool {
        try await schemas.pool.withTransaction { connection in
            // Nodes take turns, so that together they make no more than are wanted.
            try await connection.execute("SELECT pg_advisory_xact_lock(hashtextextended('erm ready schemas', 0))")
            let rows = try await connection.query(
                "SELECT count(*) AS n FROM tenant_admin.ready_schemas WHERE schema_version = \(schemas.newest)")
            guard try rows[0].decode("n", as: Int.self) < count else { return false }
            let id = try await ReadyRoles.takeOrMake(on: connection)
            // No subdomain gives such a name: an underscore in those is followed by u, h or x.
            let schema = "tenant_ready_" + id.description.filter { $0 != "-" }
            try await schemas.create(TenantNames(schema: schema, role: TenantNames.role(of: id)), on: connection)
            try await connection.executeBatch(FirstUser.roles + TenantDefaults.examples)
            try await TenantDatabase.leave(on: connection)
            try await connection.execute(
                "INSERT INTO ready_schemas (id, schema_name, schema_version) VALUES (\(id), \(schema), \(schemas.newest))"
            )
            return true
        }
    }

    /// Drops one that an earlier version has made.
    /// - Returns: whether there was one.
    func dropOutdated() async throws -> Bool {
        try await schemas.pool.withTransaction { connection in
            let rows = try await connection.query(
                """
                DELETE FROM tenant_admin.ready_schemas WHERE id = (
                    SELECT id FROM tenant_admin.ready_schemas WHERE schema_version < \(schemas.newest)
                    LIMIT 1 FOR UPDATE SKIP LOCKED)
                RETURNING id, schema_name
                """)
            guard let row = rows.first else { return false }
            let id = try row.decode("id", as: TenantID.self)
            try await connection.setLocal(role: TenantNames.role(of: id), searchPath: [])
            try await connection.execute(
                "DROP SCHEMA \(identifier: try row.decode("schema_name", as: String.self)) CASCADE")
            try await TenantDatabase.leave(on: connection)
            try await connection.execute("SELECT erm_provisioning.drop_tenant_role(\(id))")
            return true
        }
    }
}

/// Keeps some schemas ready.
struct ReadySchemaFiller: Service {
    let ready: ReadySchemas
    let count: Int
    let logger: Logger

    /// How soon what was taken is made again; any node may have taken it.
    private static let pause = Duration.milliseconds(250)
    /// After a failure, as while a node of a newer version is at work.
    private static let pauseAfterFailure = Duration.seconds(5)

    func run() async throws {
        let failures = FailureLog.each("Preparing schemas failed", to: logger)
        // This node has migrated the template, so that no older ones are made any more.
        await PeriodicWork(every: Self.pauseAfterFailure).runPaced(logging: failures) {
            try await ready.dropOutdated() ? .atOnce : .finished
        }
        await PeriodicWork(every: Self.pause, afterFailure: .constant(Self.pauseAfterFailure)).run(logging: failures) {
            if try await ready.count() < count {
                while try await ready.fill(to: count), !Task.isCancelled {}
            }
        }
    }
}
