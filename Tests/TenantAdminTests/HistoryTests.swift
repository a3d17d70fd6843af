import Contracts
import Foundation
import HTTPTypes
import Postgres
import ServiceKit
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
                _ = try await connection.execute("INSERT INTO people (external_id, name) VALUES (\(name), \(name))")
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

    @Test("the rest of a long feed is written by a thread that stands back, a short one as anything else is")
    func standsBack() async throws {
        try await TestService.run { service in
            let tenant = try await service.createTenant("acme")
            let database = TenantDatabase(pool: service.pool)
            _ = try await database.withTenant(tenant.id) {
                try await $0.execute(
                    """
                    INSERT INTO people (external_id, name)
                    SELECT 'P' || n, repeat('x', 200) FROM generate_series(1, 1000) n
                    """)
            }
            func niceness(linesAtOnce: Int) async throws -> Set<Int32> {
                var seen: Set<Int32> = []
                try await HistoryFeed(database: database, linesAtOnce: linesAtOnce).send(tenant.id, since: nil) { _ in
                    seen.insert(getpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0))
                }
                return seen
            }
            let short = try await niceness(linesAtOnce: 5_000)
            let long = try await niceness(linesAtOnce: 10)
            let usual = try #require(short.first)

            #expect(short.count == 1)
            // The end comes when the rows have been read.
            #expect(long == [usual, usual + BackgroundWork.niceness])
        }
    }

    @Test("only rows changed since the watermark come again")
    func onlyChanges() async throws {
        try await TestService.run { service in
            let tenant = try await service.createTenant("acme")
            _ = try await service.importCSV(.employees, ImportTests.people, into: tenant.id)
            _ = try await service.importCSV(.projects, ImportTests.work, into: tenant.id)
            _ = try await service.importCSV(.allocations, ImportTests.allocations, into: tenant.id)
            let whole = try await service.history(tenant.id)
            let mark = try #require(whole.last?.endLine)

            let skills = "employee_external_id,skill,level,since\nE1,Swift,4,\n"
            _ = try await service.importCSV(.employeeSkills, skills, into: tenant.id)
            let next = try await service.history(tenant.id, since: mark.watermark)

            let departments = try await service.all("departments", of: tenant.id, as: Department.self).map(\.id)
            #expect(departments.count == 1)
            #expect(whole.compactMap(\.employee).map(\.departmentId) == departments + departments)
            // The default calendar, two people, a project, two allocations.
            #expect(mark.lines == 6)
            #expect(whole.count == 7)
            #expect(next.compactMap(\.employee).map(\.externalId) == ["E1"])
            #expect(next.compactMap(\.employee).map { $0.skills.map(\.skill) } == [["Swift"]])
            #expect(next.count == 2)
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
                _ = try await $0.execute("DELETE FROM capacity_history")
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

    @Test("a watermark of another history is refused, so that its consumer reloads")
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

            #expect(try await status(text) == 200)
            #expect(try await status("yesterday") == 422)
            // As they were before numbers were the tenant's own.
            #expect(try await status("7401.16384.1.900") == 422)
            #expect(try await status(HistoryWatermark(number: mark.number + 1, token: mark.token).description) == 422)
            // The same number of a history that went another way, as after a restore.
            #expect(try await status(HistoryWatermark(number: mark.number, token: UUID()).description) == 422)
        }
    }

    @Test("another tenant's long transaction makes no row come twice")
    func longTransaction() async throws {
        try await TestService.run { service in
            let tenant = try await service.createTenant("acme")
            let other = try await service.createTenant("other")
            try await TenantDatabase(pool: service.pool).withTenant(other.id) { connection in
                _ = try await connection.execute("INSERT INTO employees (external_id, name) VALUES ('X', 'X')")
                _ = try await service.importCSV(.employees, ImportTests.people, into: tenant.id)
                let mark = try #require(try await service.history(tenant.id).last?.endLine?.watermark)
                let again = try await service.history(tenant.id, since: mark)

                #expect(again.count == 1)
            }
        }
    }

    @Test("rows restored into a younger cluster come once, and what changes there comes alone")
    func youngerCluster() async throws {
        try await TestService.run { service in
            let tenant = try await service.createTenant("acme")
            _ = try await service.importCSV(.employees, ImportTests.people, into: tenant.id)
            // To the rows, a younger cluster is one whose transaction numbers are far below theirs.
            try await service.asSuperuser(
                "acme",
                """
                SET LOCAL session_replication_role = replica;
                UPDATE employees SET changed_in = (changed_in::text::bigint + 1000000000)::text::xid8;
                UPDATE feed_commits SET transaction_id = (transaction_id::text::bigint + 1000000000)::text::xid8
                """)
            let whole = try await service.history(tenant.id)
            let mark = try #require(whole.last?.endLine?.watermark)
            let quiet = try await service.history(tenant.id, since: mark)
            _ = try await service.importCSV(
                .employees, "external_id,name\nE9,Ninth\n", into: tenant.id)
            let next = try await service.history(tenant.id, since: mark)

            #expect(whole.compactMap(\.employee).count == 2)
            #expect(quiet.count == 1)
            #expect(next.compactMap(\.employee).map(\.externalId) == ["E9"])
        }
    }

    @Test("a transaction with the number of a restored one is in the feed like any other")
    func sameTransactionNumber() async throws {
        try await TestService.run { service in
            let tenant = try await service.createTenant("acme")
            // The numbers that the next transactions will have are taken by commits of the old cluster.
            try await service.asSuperuser(
                "acme",
                """
                INSERT INTO feed_commits (transaction_id, number, token)
                SELECT (pg_current_xact_id()::text::bigint + i)::text::xid8, i, gen_random_uuid()
                FROM generate_series(1, 20000) i ON CONFLICT DO NOTHING;
                UPDATE feed_head SET number = 20000, token = (SELECT token FROM feed_commits WHERE number = 20000)
                """)
            let mark = try #require(try await service.history(tenant.id).last?.endLine?.watermark)
            _ = try await service.importCSV(.employees, ImportTests.people, into: tenant.id)
            let next = try await service.history(tenant.id, since: mark)
            let end = try #require(next.last?.endLine?.watermark)

            #expect(next.compactMap(\.employee).count == 2)
            #expect(try await service.history(tenant.id, since: end).count == 1)
        }
    }

    @Test("every table whose rows carry the transaction that changed them takes part in the order of the feed")
    func everyTable() async throws {
        try await TestService.run { service in
            _ = try await service.createTenant("acme")
            let rows = try await service.pool.withConnection { connection in
                try await connection.query(
                    """
                    SELECT c.relname, EXISTS (SELECT FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid
                        WHERE t.tgrelid = c.oid AND p.proname = 'feed_note') AS takes_part
                    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                        JOIN pg_attribute a ON a.attrelid = c.oid
                    WHERE n.nspname = \(TenantNames.schema(for: "acme")) AND c.relkind = 'r' AND a.attname = 'changed_in'
                    """)
            }

            #expect(rows.count >= 5)
            for row in rows {
                let table = try row.decode("relname", as: String.self)
                #expect(try row.decode("takes_part"), "\(table)")
            }
        }
    }
}
