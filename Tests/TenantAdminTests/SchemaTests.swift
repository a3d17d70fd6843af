import Contracts
import Foundation
import HTTPTypes
import Postgres
import TestSupport
import Testing

@testable import TenantAdmin

@Suite("Tenant schemas")
struct SchemaTests {
    @Test("a tenant's schema has every object of the template and refers to nothing in it")
    func sameAsTemplate() async throws {
        try await TestService.run { service in
            try await service.schemas.migrateAll()
            let tenant = try await service.createTenant("acme")
            let schema = TenantNames.schema(for: tenant.subdomain)
            func objects(_ schema: String) async throws -> [String] {
                let rows = try await service.pool.withConnection { connection in
                    try await connection.query(
                        """
                        select c.relkind::text || ' ' || c.relname || coalesce(' ' || replace(pg_get_indexdef(i.indexrelid),
                            n.nspname || '.', ''), '') as what
                        from pg_class c join pg_namespace n on n.oid = c.relnamespace
                        left join pg_index i on i.indexrelid = c.oid where n.nspname = \(schema)
                        union all
                        select 'constraint ' || conname || replace(pg_get_constraintdef(k.oid), n.nspname || '.', '')
                        from pg_constraint k join pg_namespace n on n.oid = k.connamespace where n.nspname = \(schema)
                        union all
                        select 'function ' || proname from pg_proc p join pg_namespace n on n.oid = p.pronamespace
                        where n.nspname = \(schema)
                        union all
                        select 'trigger ' || tgname from pg_trigger t join pg_class c on c.oid = t.tgrelid
                        join pg_namespace n on n.oid = c.relnamespace where n.nspname = \(schema) and not tgisinternal
                        order by 1
                        """)
                }
                return try rows.map { try $0.decode("what") }
            }
            let foreign = try await service.pool.withConnection { connection in
                try await connection.query(
                    """
                    select p.proname from pg_proc p join pg_namespace n on n.oid = p.pronamespace
                    where n.nspname = \(schema) and array_to_string(p.proconfig, ',') like '%template%'
                    """)
            }

            let own = try await objects(schema)
            #expect(own.count > 60)
            #expect(own == (try await objects(TenantNames.template)))
            #expect(foreign.isEmpty)
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
                _ = try await $0.execute("create table later (id int)")
            }
            try Data("create table later (id int);".utf8).write(to: folder.appendingPathComponent("0900_later.sql"))
            let next = try TenantSchemas(
                pool: service.pool, migrationsDirectory: folder.path, logger: PostgresCluster.quietLogger)

            await #expect(throws: PostgresError.self) { try await next.migrateAll() }
            let first = try await schemasWithLater(service)
            try await TenantDatabase(pool: service.pool).withTenant(c3.id) {
                _ = try await $0.execute("drop table later")
            }
            try await next.migrateAll()
            try await next.migrateAll()

            #expect(first.count == 6)
            #expect(try await schemasWithLater(service).count == 6)
            let recorded = try await TenantDatabase(pool: service.pool).withTenant(c3.id) {
                try await $0.query("select name from schema_migrations where number = 900")
            }
            #expect(recorded.count == 1)
        }
    }

    @Test("a node of the version before makes no tenant once a newer one has begun its rollout")
    func noTenantLeftBehind() async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        try FileManager.default.copyItem(atPath: ServiceDatabases.migrations("tenant"), toPath: folder.path)
        defer { try? FileManager.default.removeItem(at: folder) }
        try Data("create table later (id int);".utf8).write(to: folder.appendingPathComponent("0900_later.sql"))
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
            try await connection.query("select schemaname from pg_tables where tablename = 'later'")
        }
        return try rows.map { try $0.decode(at: 0) }
    }
}
