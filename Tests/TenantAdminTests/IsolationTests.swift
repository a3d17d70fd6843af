import Contracts
import HTTPTypes
import Postgres
import TestSupport
import Testing

@testable import TenantAdmin

@Suite("Isolation")
struct IsolationTests {
    @Test("two tenants with the same external ids see only their own rows")
    func sameExternalIDs() async throws {
        try await TestService.run { service in
            let one = try await service.createTenant("one")
            let two = try await service.createTenant("two")

            _ = try await service.importCSV(.employees, "external_id,name\nE1,Anna\nE2,Berta\n", into: one.id)
            _ = try await service.importCSV(.employees, "external_id,name\nE1,Zoe\n", into: two.id)

            #expect(try await service.all("employees", of: one.id, as: Employee.self).map(\.name) == ["Anna", "Berta"])
            #expect(try await service.all("employees", of: two.id, as: Employee.self).map(\.name) == ["Zoe"])
            let foreign = try await service.all("employees", of: one.id, as: Employee.self)[0].id
            #expect(
                try await service.send(.get, "/api/v1/employees/\(foreign)", as: service.token(two.id)).status == 404)
            #expect(try await service.history(two.id).compactMap(\.employee).map(\.name) == ["Zoe"])
        }
    }

    @Test("one tenant's role is refused another tenant's schema by Postgres itself")
    func foreignSchema() async throws {
        try await TestService.run { service in
            let one = try await service.createTenant("one")
            _ = try await service.createTenant("two")
            let schema = TenantNames.schema(for: "two")
            let database = TenantDatabase(pool: service.pool)

            for statement: SQL in [
                "SELECT * FROM \(identifier: schema, "employees")",
                "INSERT INTO \(identifier: schema, "departments") (name) VALUES ('x')",
                "SELECT * FROM tenant_admin.tenants",
                "CREATE TEMP TABLE escape (x int)",
            ] {
                let error = await #expect(throws: PostgresError.self) {
                    try await database.withTenant(one.id) { _ = try await $0.execute(statement) }
                }
                #expect(error?.sqlState == "42501")
            }
        }
    }

    @Test("nothing of a tenant's unit of work stays on the pooled connection")
    func nothingStays() async throws {
        try await TestService.run { service in
            let one = try await service.createTenant("one")
            let two = try await service.createTenant("two")
            var configuration = try PostgresConfiguration(url: service.databases.tenantAdmin)
            configuration.maximumConnections = 1
            let pool = PostgresPool(configuration: configuration, logger: service.schemas.logger)
            let database = TenantDatabase(pool: pool)
            _ = try await service.importCSV(.departments, "name\nOnly here\n", into: one.id)

            // The same statement text for both tenants on one connection: a prepared plan of the one must not serve the other.
            for _ in 0..<3 {
                let first = try await database.withTenant(one.id) { try await $0.query("SELECT name FROM departments") }
                let second = try await database.withTenant(two.id) {
                    try await $0.query("SELECT name FROM departments")
                }
                #expect(first.count == 1)
                #expect(second.isEmpty)
            }
            let outside = try await pool.withConnection { connection in
                try await connection.query(
                    "SELECT current_user::text AS role, to_regclass('departments') IS NULL AS hidden")
            }
            await pool.close()
            #expect(try outside[0].decode("role", as: String.self) == "erm_tenant_admin")
            #expect(try outside[0].decode("hidden", as: Bool.self))
        }
    }

    @Test("the service's own role reaches no tenant's rows without becoming that tenant")
    func noInheritance() async throws {
        try await TestService.run { service in
            _ = try await service.createTenant("one")
            let error = await #expect(throws: PostgresError.self) {
                try await service.pool.withConnection { connection in
                    _ = try await connection.query(
                        "SELECT * FROM \(identifier: TenantNames.schema(for: "one"), "employees")")
                }
            }
            #expect(error?.sqlState == "42501")
        }
    }
}
