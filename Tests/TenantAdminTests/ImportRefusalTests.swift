import Contracts
import HTTPTypes
import NIOCore
import Postgres
import ServiceKit
import Testing

@testable import TenantAdmin

/// What is written and taken back leaves dead rows behind.
@Suite("Imports that are refused before they write")
struct ImportRefusalTests {
    private func bytes(of table: String, _ tenant: Tenant, _ service: TestService) async throws -> Int {
        try await TenantDatabase(pool: service.pool).withTenant(tenant.id) { connection in
            try await connection.query("SELECT pg_relation_size(\(table)::regclass) AS bytes")[0].decode("bytes")
        }
    }

    @Test("a last day of an earlier spell of employment that lies in a later spell is refused with its line")
    func laterSpell() async throws {
        try await TestService.run { service in
            let tenant = try await service.createTenant("acme")
            func bring(_ rows: String) async throws -> Reply {
                try await service.importCSV(
                    .employees, "external_id,name,hired_on,left_on\n" + rows, into: tenant.id, onError: "skip")
            }
            for row in ["E1,Ann,2020-01-01,2020-12-31\n", "E1,Ann,2022-01-01,\n"] {
                #expect(try await bring(row).status == 201)
            }
            let report = try await bring(
                "E1,Ann,2020-01-01,2022-02-01\nE2,Bob,2020-01-01,2022-02-01\n"
            ).data(ImportReport.self)
            let longer = try await bring("E1,Ann,2020-01-01,2021-12-31\n").data(ImportReport.self)

            #expect(report.counts == "1 inserted, 0 updated, 0 unchanged, 1 rejected")
            #expect(report.errors.map { "\($0.line) \($0.column)" } == ["2 left_on"])
            #expect(longer.counts == "0 inserted, 1 updated, 0 unchanged, 0 rejected")
        }
    }

    @Test("a row whose id of an archive another row has by now is refused with its line, and nothing is written")
    func archivedID() async throws {
        try await TestService.run { service in
            let tenant = try await service.createTenant("acme")
            let id = EmployeeID()
            let ids = #"{"kind":"employees","key":"E1","id":"\#(id)"}"# + "\n"
            #expect(try await service.restore(.ids, ids, into: tenant).status == 200)
            _ = try await service.importCSV(.employees, "external_id,name\nE1,Ann\n", into: tenant.id)
            try await service.asSuperuser("acme", "UPDATE employees SET external_id = 'E0'")
            let before = try await bytes(of: "employees", tenant, service)
            let others = (0..<300).map { "X\($0),Somebody\n" }.joined()
            let refused = try await service.importCSV(
                .employees, "external_id,name\n\(others)E1,Ann\n", into: tenant.id)
            let after = try await bytes(of: "employees", tenant, service)
            let again = try await service.importCSV(.employees, "external_id,name\nE0,Anna\n", into: tenant.id)

            #expect(try refused.problem.errors.map(\.field) == ["line 302, external_id"])
            #expect(after == before)
            #expect(try again.data(ImportReport.self).updated == 1)
        }
    }

    @Test("of two imports with one id that come at the same time one is applied, the other refused before it writes")
    func sameID() async throws {
        try await TestService.run { service in
            let tenant = try await service.createTenant("acme")
            // Neither is listed while it is under way.
            let imports = Imports(service, .testing(pause: .seconds(3600)))
            let order = Imports.Order(kind: .departments, format: .csv, policy: .abort)
            let both = try await service.pool.withTransaction { holder in
                let home = try await TenantDatabase.active(tenant.id, on: holder)
                try await TenantDatabase.enter(home.names, on: holder)
                try await holder.execute("LOCK TABLE departments IN ACCESS EXCLUSIVE MODE")
                let both = ["Lab", "Office"].map { name in
                    Task {
                        try await imports.run(
                            order, body: AsyncStream<ByteBuffer>.of("name\n\(name)\n"), in: tenant.id,
                            by: Author(name: "t", requestID: "r"))
                    }
                }
                let waiting: SQL = """
                    SELECT count(DISTINCT pid) AS n FROM pg_locks WHERE NOT granted
                        AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
                    """
                while try await holder.query(waiting)[0].decode("n", as: Int.self) < both.count {
                    try await Task.sleep(for: .milliseconds(20))
                }
                return both
            }
            var (applied, refused): (Int, [Int]) = (0, [])
            for one in both {
                do {
                    _ = try await one.value
                    applied += 1
                } catch let problem as ProblemError {
                    refused.append(problem.status.code)
                }
            }

            #expect(applied == 1 && refused == [409])
            #expect(try await service.all("departments", of: tenant.id, as: Department.self).count == 1)
        }
    }
}
