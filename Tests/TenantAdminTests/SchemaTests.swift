import Contracts
import Foundation
import HTTPTypes
import Postgres
import ServiceKit
import TestSupport
import Testing

@testable import TenantAdmin

@Suite("Tenant schemas")
struct SchemaTests {
    @Test("a schema made by the squashed script is to the last default what all migrations give one by one")
    func sameAsTemplate() async throws {
        try await TestService.run { service in
            try await service.schemas.migrateAll()
            let id = TenantID()
            let new = TenantNames(schema: "tenant_new", role: TenantNames.role(of: id))
            try await service.pool.withTransaction { connection in
                try await connection.execute("SELECT erm_provisioning.create_tenant_role(\(id))")
                try await service.schemas.create(new, on: connection)
            }
            let template = TenantNames(schema: TenantNames.template, role: "erm_tenant_admin")

            let (made, migrated) = (try await dump(new, of: service), try await dump(template, of: service))
            #expect(made.count > 1_000)
            // Only the lines that differ: the whole would fill pages.
            #expect(made.difference(from: migrated).isEmpty)
            // Nothing in it is the template's.
            #expect(!made.contains { $0.contains("template") })
        }
    }

    /// All objects and rows of a schema as SQL, without what differs in any two: names, and what is drawn or read from a clock.
    private func dump(_ names: TenantNames, of service: TestService) async throws -> [String] {
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("dump-\(UUID()).sql")
        defer { try? FileManager.default.removeItem(at: file) }
        let program = try ChildProcess(
            "pg_dump", ["--inserts", "--schema=\(names.schema)", service.databases.superuser], output: file)
        #expect(await program.exitCode == 0)
        return try String(contentsOf: file, encoding: .utf8)
            .replacing(names.schema, with: "tenant").replacing(names.role, with: "owner")
            .replacing(/'[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}'/, with: "id")
            .replacing(/'\d{4}-\d\d-\d\d [0-9:.+-]+'/, with: "time").replacing(/'\d+'/, with: "number")
            .split(separator: "\n").map(String.init).filter { !$0.hasPrefix("--") && !$0.hasPrefix("\\") }
    }

    @Test("no foreign key and no view of a tenant's schema leads out of it")
    func nothingCrosses() async throws {
        try await TestService.run { service in
            _ = try await service.createTenant("acme")
            let rows = try await service.pool.withConnection { connection in
                try await connection.query(
                    """
                    SELECT k.conname::text FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
                        JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_class t ON t.oid = k.confrelid
                    WHERE n.nspname = \(TenantNames.schema(for: "acme")) AND k.contype = 'f'
                        AND t.relnamespace <> c.relnamespace
                    UNION ALL
                    SELECT v.relname::text FROM pg_class v JOIN pg_namespace n ON n.oid = v.relnamespace
                        JOIN pg_rewrite r ON r.ev_class = v.oid JOIN pg_depend d ON d.objid = r.oid
                            AND d.classid = 'pg_rewrite'::regclass AND d.refclassid = 'pg_class'::regclass
                        JOIN pg_class t ON t.oid = d.refobjid JOIN pg_namespace f ON f.oid = t.relnamespace
                    WHERE n.nspname = \(TenantNames.schema(for: "acme")) AND v.relkind = 'v'
                        AND t.relnamespace <> v.relnamespace AND f.nspname <> 'pg_catalog'
                    """)
            }
            #expect(rows.isEmpty)
        }
    }

    @Test("a new migration reaches every tenant once, and one that fails keeps the others from nothing")
    func rollout() async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        try FileManager.default.copyItem(atPath: ServiceDatabases.migrations("tenant"), toPath: folder.path)
        defer { try? FileManager.default.removeItem(at: folder) }
        try await TestService.run { service in
            for name in ["a1", "b2", "c3", "d4", "e5"] { _ = try await service.createTenant(name) }
            // Only c3 has a table of this name already.
            let c3 = try await service.send(.get, "/api/v1/tenants", as: service.operatorToken).list(Tenant.self).items[
                2]
            try await TenantDatabase(pool: service.pool).withTenant(c3.id) {
                _ = try await $0.execute("CREATE TABLE later (id int)")
            }
            try Data("CREATE TABLE later (id int);".utf8).write(to: folder.appendingPathComponent("0900_later.sql"))
            let next = try TenantSchemas(
                pool: service.pool, migrationsDirectory: folder.path, logger: PostgresCluster.quietLogger)

            await #expect(throws: PostgresError.self) { try await next.migrateAll() }
            let first = try await schemasWithLater(service)
            try await TenantDatabase(pool: service.pool).withTenant(c3.id) {
                _ = try await $0.execute("DROP TABLE later")
            }
            try await next.migrateAll()
            try await next.migrateAll()

            #expect(first.count == 6)
            #expect(try await schemasWithLater(service).count == 6)
            let recorded = try await TenantDatabase(pool: service.pool).withTenant(c3.id) {
                try await $0.query("SELECT name FROM schema_migrations WHERE number = 900")
            }
            #expect(recorded.count == 1)
        }
    }

    @Test(
        "a tenant whose tables are busy is refused alone by the version that needs more, and served by the one before")
    func busyTenant() async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        try FileManager.default.copyItem(atPath: ServiceDatabases.migrations("tenant"), toPath: folder.path)
        defer { try? FileManager.default.removeItem(at: folder) }
        try Data("ALTER TABLE employees ADD COLUMN later integer;".utf8)
            .write(to: folder.appendingPathComponent("0900_later.sql"))
        try await TestService.run { service in
            let busy = try await service.createTenant("busy").id
            let free = try await service.createTenant("free").id
            var next = try TenantSchemas(
                pool: service.pool, migrationsDirectory: folder.path, logger: PostgresCluster.quietLogger)
            next.patience.attempts = 2
            let newer = TenantDatabase(pool: service.pool, requiredVersion: next.newest)
            @Sendable func status(_ tenant: TenantID) async -> Int {
                do {
                    _ = try await newer.withTenant(tenant) { try await $0.query("SELECT later FROM employees") }
                    return 200
                } catch {
                    return (error as? ProblemError)?.status.code ?? 0
                }
            }
            // A report that reads for long.
            try await TenantDatabase(pool: service.pool).withTenant(busy) { [next] connection in
                _ = try await connection.query("SELECT count(*) FROM employees")
                await #expect(throws: PostgresError.self) { try await next.migrateAll() }
                #expect(await status(busy) == 503)
                #expect(await status(free) == 200)
                // The version before serves both, and writes.
                for tenant in [busy, free] {
                    let made = try await service.send(
                        .post, "/api/v1/projects", as: service.token(tenant),
                        json: CreateProject(externalId: "p", name: "P"))
                    #expect(made.status == 201)
                }
            }
            let progress = try await next.migrateAll()

            #expect(progress == TenantSchemas.Progress(total: 1, migrated: 1))
            #expect(await status(busy) == 200)
        }
    }

    @Test(
        "while somebody reads the template's tables for long its migration keeps no creation waiting",
        .timeLimit(.minutes(2)))
    func busyTemplate() async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        try FileManager.default.copyItem(atPath: ServiceDatabases.migrations("tenant"), toPath: folder.path)
        defer { try? FileManager.default.removeItem(at: folder) }
        try Data("ALTER TABLE employees ADD COLUMN later integer;".utf8)
            .write(to: folder.appendingPathComponent("0900_later.sql"))
        try await TestService.run { service in
            try await service.schemas.migrateTemplate()
            var next = try TenantSchemas(
                pool: service.pool, migrationsDirectory: folder.path, logger: PostgresCluster.quietLogger)
            // However long this machine takes for what follows.
            next.patience.attempts = .max
            // As a backup does.
            let migration = try await service.pool.withTransaction { [next] reader in
                _ = try await reader.query("SELECT FROM tenant_template.employees")
                let migration = Task { try await next.migrateTemplate() }
                try await waitUntil("the migration waits for the table") {
                    try await service.pool.withConnection { connection in
                        try await connection.query(
                            """
                            SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted AND mode = 'AccessExclusiveLock'
                                AND relation = 'tenant_template.employees'::regclass)
                            """)[0].decode(at: 0)
                    }
                }
                _ = try await service.createTenant("acme")
                return migration
            }
            try await migration.value
        }
    }

    @Test("a tenant that is one migration behind is entered once, and one that is two behind twice")
    func entersOnce() async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        try FileManager.default.copyItem(atPath: ServiceDatabases.migrations("tenant"), toPath: folder.path)
        defer { try? FileManager.default.removeItem(at: folder) }
        try await TestService.run { service in
            _ = try await service.createTenant("acme")
            try await service.pool.withConnection { connection in
                try await connection.executeScript(
                    """
                    CREATE TABLE tenant_admin.entries (id bigint GENERATED ALWAYS AS IDENTITY);
                    CREATE FUNCTION tenant_admin.note_entry() RETURNS trigger LANGUAGE plpgsql AS
                        'BEGIN INSERT INTO tenant_admin.entries DEFAULT VALUES; RETURN NULL; END';
                    CREATE TRIGGER note_entry AFTER UPDATE ON tenant_admin.tenants
                        FOR EACH STATEMENT EXECUTE FUNCTION tenant_admin.note_entry();
                    """)
            }
            /// Adds the migrations and rolls them out.
            func entries(for numbers: [Int]) async throws -> Int {
                for number in numbers {
                    try Data("CREATE TABLE later_\(number) (id int)".utf8)
                        .write(to: folder.appendingPathComponent("\(String(format: "%04d", number))_later.sql"))
                }
                try await TenantSchemas(
                    pool: service.pool, migrationsDirectory: folder.path, logger: PostgresCluster.quietLogger
                ).migrateAll()
                return try await service.pool.withConnection { connection in
                    try await connection.execute("DELETE FROM tenant_admin.entries")
                }
            }

            #expect(try await entries(for: [900]) == 1)
            #expect(try await entries(for: [901, 902]) == 2)
            #expect(try await entries(for: []) == 0)
        }
    }

    @Test("making schemas ahead makes roles seldom, and roles that a backup did not bring back are made anew")
    func readyRoles() async throws {
        try await TestService.run { service in
            try await service.schemas.migrateAll()
            let ready = ReadySchemas(schemas: service.schemas)
            for _ in 0..<2 { #expect(try await ready.fill(to: 3)) }
            // Each transaction that makes roles has every backend read all of them once more.
            let transactions: Int = try await service.pool.withConnection { connection in
                try await connection.query(
                    """
                    SELECT count(DISTINCT m.xmin::text) AS n FROM pg_auth_members m JOIN pg_roles r ON r.oid = m.roleid
                    WHERE r.rolname IN (SELECT 'tenant_' || replace(id::text, '-', '') FROM tenant_admin.ready_schemas)
                    """)[0].decode("n")
            }
            try await service.pool.withConnection { connection in
                _ = try await connection.execute(
                    "SELECT erm_provisioning.drop_tenant_role(id) FROM tenant_admin.ready_roles")
            }
            #expect(try await ready.fill(to: 3))
            let tenants = [try await service.createTenant("acme"), try await service.createTenant("beta")]

            #expect(transactions == 1)
            for tenant in tenants {
                #expect(try await service.importCSV(.employees, ImportTests.people, into: tenant.id).status == 201)
            }
        }
    }

    @Test("a tenant that takes a ready-made schema has all a tenant has, under its own name; older ones are dropped")
    func readySchema() async throws {
        try await TestService.run { service in
            try await service.schemas.migrateAll()
            let ready = ReadySchemas(schemas: service.schemas)
            #expect(try await ready.fill(to: 2))
            #expect(try await ready.fill(to: 2))
            #expect(try await !ready.fill(to: 2))
            func left() async throws -> Int {
                try await service.pool.withConnection { connection in
                    try await connection.query(
                        "SELECT count(*) AS n FROM pg_namespace WHERE nspname LIKE 'tenant\\_ready%'")[0].decode("n")
                }
            }
            let tenant = try await service.createTenant("acme")
            let taken = try await left()
            _ = try await service.importCSV(.employees, ImportTests.people, into: tenant.id)
            let lines = try await service.history(tenant.id)
            let verified = try await service.send(
                .get, "/api/v1/audit-logs/verification", as: service.token(tenant.id))
            let foreign = try await service.pool.withConnection { connection in
                try await connection.query(
                    """
                    SELECT p.proname FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
                    WHERE n.nspname = \(TenantNames.schema(for: "acme"))
                        AND array_to_string(p.proconfig, ',') LIKE '%ready%'
                    """)
            }
            // What is the same for all tenants is not written while one is made: the users are.
            let together: Int = try await TenantDatabase(pool: service.pool).withTenant(tenant.id) { connection in
                try await connection.query(
                    "SELECT count(*) AS n FROM roles WHERE xmin::text IN (SELECT xmin::text FROM users)")[0].decode("n")
            }
            try await service.pool.withConnection {
                _ = try await $0.execute("UPDATE tenant_admin.ready_schemas SET schema_version = 1")
            }
            #expect(together == 0)
            #expect(try await ready.dropOutdated())
            #expect(try await !ready.dropOutdated())

            #expect(taken == 1)
            #expect(lines.compactMap(\.employee).count == 2)
            #expect(try verified.data(AuditVerification.self).isWhole)
            #expect(foreign.isEmpty)
            #expect(try await left() == 0)
            // Without one the tenant is made from nothing.
            _ = try await service.createTenant("other")
        }
    }

    @Test(
        "dry runs do not keep the template from being migrated: none begins while a migration is due",
        .timeLimit(.minutes(5)))
    func dryRunsDuringMigration() async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        try FileManager.default.copyItem(atPath: ServiceDatabases.migrations("tenant"), toPath: folder.path)
        defer { try? FileManager.default.removeItem(at: folder) }
        try Data("ALTER TABLE calendars ADD COLUMN note text".utf8)
            .write(to: folder.appendingPathComponent("0900_note.sql"))
        try await TestService.run { service in
            let tenant = try await service.createTenant("acme")
            let newer = try TenantSchemas(
                pool: service.pool, migrationsDirectory: folder.path, logger: PostgresCluster.quietLogger)
            func dryRun() async throws -> Int {
                try await service.importCSV(.calendars, "name\nVienna\n", into: tenant.id, isDryRun: true).status
            }
            #expect(try await dryRun() == 200)

            let migration = try await service.pool.withTransaction { connection in
                // As a dry run has it.
                try await TenantSchemas.readTemplate(on: connection)
                _ = try await connection.query("SELECT FROM tenant_template.calendars")
                let migration = Task { try await newer.migrateTemplate() }
                try await waitUntil("the migration waits") {
                    try await !connection.query(
                        """
                        SELECT FROM pg_locks l JOIN pg_database d ON d.oid = l.database
                        WHERE d.datname = current_database() AND l.locktype = 'advisory' AND NOT l.granted
                        """
                    ).isEmpty
                }
                #expect(try await dryRun() == 503)
                // Nobody else waits for it.
                _ = try await service.createTenant("other")
                return migration
            }

            try await migration.value
            #expect(try await dryRun() == 200)
        }
    }

    @Test("a node of the version before makes no tenant once a newer one has begun its rollout")
    func noTenantLeftBehind() async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        try FileManager.default.copyItem(atPath: ServiceDatabases.migrations("tenant"), toPath: folder.path)
        defer { try? FileManager.default.removeItem(at: folder) }
        try Data("CREATE TABLE later (id int);".utf8).write(to: folder.appendingPathComponent("0900_later.sql"))
        try await TestService.run { service in
            func create(_ subdomain: String) async throws -> Int {
                try await service.send(
                    .post, "/api/v1/tenants", as: service.operatorToken,
                    json: CreateTenantRequest(
                        name: subdomain, subdomain: Subdomain(rawValue: subdomain)!,
                        adminEmail: "a@\(subdomain).example", adminPassword: TestService.password)
                ).status
            }
            try await service.schemas.migrateAll()
            let before = try await create("before")
            try await TenantSchemas(
                pool: service.pool, migrationsDirectory: folder.path, logger: PostgresCluster.quietLogger
            ).migrateAll()
            let after = try await create("after")
            let tenants = try await service.send(.get, "/api/v1/tenants", as: service.operatorToken).list(Tenant.self)

            #expect(before == 201)
            #expect(after == 503)
            #expect(tenants.items.map(\.subdomain) == ["before"])
        }
    }

    private func schemasWithLater(_ service: TestService) async throws -> [String] {
        let rows = try await service.pool.withConnection { connection in
            try await connection.query("SELECT schemaname FROM pg_tables WHERE tablename = 'later'")
        }
        return try rows.map { try $0.decode(at: 0) }
    }
}
