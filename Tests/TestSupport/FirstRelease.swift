public import Foundation
import Postgres

/// A database as the commit 4c77ea9 left it: with its migrations, which are the first of today's, and tenants with rows in them.
public struct FirstRelease: Sendable {
    /// How many migrations of each folder it had; those of all tenants are in `tenant`.
    private static let numbers = [
        "gateway": 7, "tenant-admin": 4, "tenant": 10, "ml-training": 10, "ml-prediction": 1,
    ]

    public struct Tenant: Sendable, Hashable {
        public let id: String
        public let subdomain: String
        fileprivate var schema: String { "tenant_\(subdomain)" }
        fileprivate var role: String { "tenant_" + id.replacing("-", with: "") }
    }

    public let tenants: [Tenant]
    /// People, and bookings, of each tenant.
    public static let people = 20

    private let databases: ServiceDatabases

    /// Makes `count` tenants, whose one user is the administrator `admin@SUBDOMAIN.example`.
    public init(_ databases: ServiceDatabases, tenants count: Int) async throws {
        self.databases = databases
        let folder = try Self.migrations()
        defer { try? FileManager.default.removeItem(at: folder) }
        for (url, name) in [
            (databases.gateway, "gateway"), (databases.tenantAdmin, "tenant-admin"),
            (databases.mlTraining, "ml-training"), (databases.mlPrediction, "ml-prediction"),
        ] {
            try await PostgresCluster.withPool(on: url) { pool in
                _ = try await MigrationRunner(
                    pool: pool, schema: name.replacing("-", with: "_"),
                    directory: folder.appendingPathComponent(name).path, logger: PostgresCluster.quietLogger
                ).run()
            }
        }
        let files = try Migrations.load(directory: folder.appendingPathComponent("tenant").path)
        tenants = (1...count).map { Tenant(id: UUID().uuidString.lowercased(), subdomain: "old\($0)") }
        try await PostgresCluster.withPool(on: databases.tenantAdmin) { [tenants] pool in
            try await pool.withTransaction { connection in
                try await connection.execute("CREATE SCHEMA tenant_template")
                _ = try await Migrations.apply(files, to: "tenant_template", on: connection)
            }
            for tenant in tenants { try await pool.withTransaction { try await Self.make(tenant, files, on: $0) } }
        }
    }

    private static func make(
        _ tenant: Tenant, _ files: [Migration], on connection: PostgresConnection
    ) async throws {
        try await connection.execute(
            """
            INSERT INTO tenant_admin.tenants (id, name, subdomain, schema_name, role_name, plan, admin_email, limits)
            VALUES (\(tenant.id)::uuid, \(tenant.subdomain), \(tenant.subdomain), \(tenant.schema), \(tenant.role), 'enterprise',
                \("admin@\(tenant.subdomain).example"),
                '{"max_users": 100, "max_projects": 100, "max_storage_gb": 10, "ml_training_hours": 10}')
            """)
        try await connection.execute("SELECT erm_provisioning.create_tenant_role(\(tenant.id)::uuid)")
        try await connection.execute(
            "CREATE SCHEMA \(identifier: tenant.schema) AUTHORIZATION \(identifier: tenant.role)")
        try await connection.setLocal(role: tenant.role, searchPath: [tenant.schema])
        _ = try await Migrations.apply(files, to: tenant.schema, on: connection)
        try await connection.executeScript(rows(of: tenant))
    }

    private static func rows(of tenant: Tenant) -> String {
        """
        INSERT INTO roles (name, permissions, is_builtin)
            VALUES ('admin', '[{"resource": "*", "actions": ["*"]}]', true);
        WITH u AS (INSERT INTO users (email, name) VALUES ('admin@\(tenant.subdomain).example', 'Administrator') RETURNING id)
            INSERT INTO user_roles SELECT u.id, r.id FROM u, roles r;
        INSERT INTO employees (external_id, name, hired_on)
            SELECT 'E' || n, 'Person ' || n, '2024-01-01' FROM generate_series(1, \(people)) n;
        INSERT INTO projects (external_id, name, status) VALUES ('P1', 'Project', 'in_progress');
        INSERT INTO resource_allocations
            (external_id, employee_id, project_id, allocated_hours, planned_hours, start_date, created_at)
            SELECT 'A' || n, e.id, p.id, 40, 40, '2026-01-01', '2026-01-01' FROM generate_series(1, \(people)) n
            JOIN employees e ON e.external_id = 'E' || n, projects p;
        INSERT INTO audit_logs (actor, action, entity, request_id) VALUES ('test', 'create', 'tenant', 'r1'),
            ('test', 'create', 'user', 'r2');
        """
    }

    /// Gives administrators the password of another tenant's.
    public func setPasswords(as subdomain: String) async throws {
        try await PostgresCluster.withPool(on: databases.superuser) { [tenants] pool in
            for tenant in tenants {
                _ = try await pool.withConnection { connection in
                    try await connection.execute(
                        """
                        UPDATE \(identifier: tenant.schema, "users") SET password_hash = (SELECT password_hash
                            FROM \(identifier: "tenant_\(subdomain)", "users"))
                        """)
                }
            }
        }
    }

    /// Keeps a report of the tenant reading while `body` runs.
    public func reading<R: Sendable>(
        _ tenant: Tenant, _ body: @escaping @Sendable () async throws -> R
    ) async throws -> R {
        try await PostgresCluster.withPool(on: databases.superuser) { pool in
            try await pool.withTransaction(retries: 0) { connection in
                _ = try await connection.query("SELECT count(*) FROM \(identifier: tenant.schema, "employees")")
                return try await body()
            }
        }
    }

    /// How many tenants are not at the newest migration yet.
    public func behind() async throws -> Int {
        let newest = try Migrations.load(directory: ServiceDatabases.migrations("tenant")).map(\.number).max() ?? 0
        return try await PostgresCluster.withPool(on: databases.superuser) { pool in
            try await pool.withConnection { connection in
                try await connection.query(
                    "SELECT count(*) AS n FROM tenant_admin.tenants WHERE schema_version < \(newest)")[0].decode("n")
            }
        }
    }

    /// A copy of today's migrations without tenants' newest ones.
    public static func migrations(withoutNewest count: Int) throws -> URL {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("erm-migrations-\(UUID())")
        try FileManager.default.copyItem(
            at: ServiceDatabases.repository.appendingPathComponent("migrations"), to: folder)
        let tenant = folder.appendingPathComponent("tenant")
        let files = try FileManager.default.contentsOfDirectory(atPath: tenant.path).filter { $0.hasSuffix(".sql") }
        for file in files.sorted().suffix(count) {
            try FileManager.default.removeItem(at: tenant.appendingPathComponent(file))
        }
        return folder
    }

    private static func migrations() throws -> URL {
        let folder = try migrations(withoutNewest: 0)
        for (name, last) in numbers {
            let files = folder.appendingPathComponent(name)
            for file in try FileManager.default.contentsOfDirectory(atPath: files.path)
            where Int(file.prefix(4)) ?? 0 > last {
                try FileManager.default.removeItem(at: files.appendingPathComponent(file))
            }
        }
        return folder
    }
}
