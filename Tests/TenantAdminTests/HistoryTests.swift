import Contracts
import HTTPTypes
import Postgres
import TestSupport
import Testing

@testable import TenantAdmin

@Suite("History feed")
struct HistoryTests {
    @Test("a transaction that commits after later ones is not lost")
    func outOfOrderCommits() async throws {
        try await TestService.run { service in
            let tenant = try await service.createTenant("acme")
            let database = TenantDatabase(pool: service.pool)
            @Sendable func insert(_ name: String, on connection: PostgresConnection) async throws {
                _ = try await connection.execute("insert into people (external_id, name) values (\(name), \(name))")
            }

            // A begins first and commits last; B begins and commits meanwhile.
            let marks = try await database.withTenant(tenant.id) { connection -> String in
                try await insert("A", on: connection)
                try await database.withTenant(tenant.id) { try await insert("B", on: $0) }
                let lines = try await service.history(tenant.id)
                #expect(lines.compactMap(\.employee).map(\.externalId) == ["B"])
                return try #require(lines.last?.endLine?.watermark)
            }
            let after = try await service.history(tenant.id, since: marks)

            #expect(after.compactMap(\.employee).map(\.externalId).contains("A"))
        }
    }

    @Test("what did not change since the watermark does not come again, what did comes")
    func onlyChanges() async throws {
        try await TestService.run { service in
            let tenant = try await service.createTenant("acme")
            _ = try await service.importCSV(.employees, ImportTests.people, into: tenant.id)
            _ = try await service.importCSV(.projects, ImportTests.work, into: tenant.id)
            _ = try await service.importCSV(.allocations, ImportTests.allocations, into: tenant.id)
            let whole = try await service.history(tenant.id)
            let mark = try #require(whole.last?.endLine)

            // Transactions of other databases of the test server may hold the watermark back: rows may come twice.
            let skills = "employee_external_id,skill,level,since\nE1,Swift,4,\n"
            _ = try await service.importCSV(.employeeSkills, skills, into: tenant.id)
            let next = try await service.history(tenant.id, since: mark.watermark)

            // The default calendar, two people, a project, two allocations.
            #expect(mark.lines == 6)
            #expect(whole.count == 7)
            #expect(
                next.compactMap(\.employee).contains { $0.externalId == "E1" && $0.skills.map(\.skill) == ["Swift"] })
            #expect(next.last?.endLine != nil)
        }
    }

    @Test("a deleted row leaves a tombstone; a day of capacity made again does not")
    func tombstones() async throws {
        try await TestService.run { service in
            let tenant = try await service.createTenant("acme")
            _ = try await service.importCSV(.employees, ImportTests.people, into: tenant.id)
            _ = try await service.importCSV(.projects, ImportTests.work, into: tenant.id)
            _ = try await service.importCSV(.allocations, ImportTests.allocations, into: tenant.id)
            let capacity = "employee_external_id,date,utilization_rate\nE1,2024-01-01,80\nE1,2024-01-02,90\n"
            _ = try await service.importCSV(.capacityHistory, capacity, into: tenant.id)
            let mark = try #require(try await service.history(tenant.id).last?.endLine?.watermark)
            let allocation = try await service.all("allocations", of: tenant.id, as: Allocation.self)[0]

            let deleted = try await service.send(
                .delete, "/api/v1/allocations/\(allocation.id)", as: service.token(tenant.id))
            try await TenantDatabase(pool: service.pool).withTenant(tenant.id) {
                _ = try await $0.execute("delete from capacity_history")
            }
            _ = try await service.importCSV(
                .capacityHistory, "employee_external_id,date,utilization_rate\nE1,2024-01-02,90\n", into: tenant.id)
            let removed = try await service.history(tenant.id, since: mark).compactMap(\.removed)

            #expect(deleted.status == 204)
            #expect(removed.contains(RemovedRow(kind: "allocation", id: allocation.id.rawValue)))
            #expect(removed.filter { $0.kind == "capacity" }.map(\.date) == [CivilDate("2024-01-01")])
            // Who begins with nothing has nothing to remove.
            #expect(try await service.history(tenant.id).compactMap(\.removed).isEmpty)
        }
    }

    @Test("a watermark that this database cannot go on from is refused, so that its holder begins anew")
    func foreignWatermark() async throws {
        try await TestService.run { service in
            let tenant = try await service.createTenant("acme")
            _ = try await service.importCSV(.employees, ImportTests.people, into: tenant.id)
            let text = try #require(try await service.history(tenant.id).last?.endLine?.watermark)
            let mark = try #require(HistoryWatermark(text))
            func status(_ watermark: String) async throws -> Int {
                try await service.send(
                    .get, "/internal/v1/tenants/\(tenant.id)/history?since=\(watermark)",
                    as: service.token(of: .mlPrediction)
                ).status
            }
            func changed(system: String? = nil, timeline: String? = nil, transaction: String? = nil) -> String {
                HistoryWatermark(
                    system: system ?? mark.system, database: mark.database, timeline: timeline ?? mark.timeline,
                    transaction: transaction ?? mark.transaction
                ).description
            }

            #expect(try await status(text) == 200)
            #expect(try await status("yesterday") == 422)
            #expect(try await status(changed(system: "1")) == 422)
            #expect(try await status(changed(timeline: "4000000000")) == 422)
            #expect(try await status(changed(transaction: "1000000000000")) == 422)
        }
    }
}
