import Contracts
import Foundation
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

    @Test("an earlier spell of employment whose last day lies in a later one, or is cleared, is refused with its line")
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
            let latest = try await bring("E1,Ann,2022-01-01,2022-12-31\n").data(ImportReport.self)
            let opened = try await bring("E1,Ann,2020-01-01,\\N\n").data(ImportReport.self)
            let openedLatest = try await bring("E1,Ann,2022-01-01,\\N\n").data(ImportReport.self)

            #expect(report.counts == "1 inserted, 0 updated, 0 unchanged, 1 rejected")
            #expect(report.errors.map { "\($0.line) \($0.column)" } == ["2 left_on"])
            #expect(longer.counts == "0 inserted, 1 updated, 0 unchanged, 0 rejected")
            #expect(latest.counts == longer.counts)
            #expect(opened.errors.map { "\($0.line) \($0.column)" } == ["2 left_on"])
            #expect(openedLatest.counts == longer.counts)
        }
    }

    @Test(
        "one person's spells of a long file are each looked at once, and those that overlap are named",
        .timeLimit(.minutes(3)))
    func manySpells() async throws {
        try await TestService.run { service in
            let tenant = try await service.createTenant("acme")
            _ = try await service.importCSV(
                .employees, "external_id,name,hired_on\nE1,Ann,2099-01-01\n", into: tenant.id)
            // Each of one day.
            let days = (0..<3_000).map { CivilDate(daysSinceEpoch: 9_000 + $0).description }
            let rows = days.map { "E1,\($0),\($0)\n" }.joined()
            let report = try await service.importCSV(
                .employment,
                "employee_external_id,first_day,last_day\n" + rows + "E1,1994-08-22,1994-08-24\nE1,2098-12-31,\n",
                into: tenant.id)

            #expect(report.status == 422)
            #expect(
                try report.problem.errors.map(\.field) == ["line 3002, first_day", "line 3003, first_day"],
                "\(report.text)")
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

    @Test("a dry run of bookings says what the file then does, and writes nothing that has to be taken back")
    func dryRun() async throws {
        try await TestService.run { service in
            let plan = try await Planner(service)
            let ann = try await plan.employee("E1")
            let work = try await plan.project("P1", #""requiredSkills":["Swift"]"#)
            _ = try await plan.book("A1", ann, work, #""allocationPercentage":60"#, "2026-12-07…2026-12-11")
            /// The table's size, and the transaction that last wrote the booking over, if it was taken back.
            func traces() async throws -> [String] {
                let row = try await TenantDatabase(pool: service.pool).withTenant(plan.tenant.id) { connection in
                    try await connection.query(
                        """
                        SELECT pg_relation_size('resource_allocations')::text AS size,
                            (SELECT xmax::text FROM resource_allocations WHERE external_id = 'A1') AS taken_back
                        """)[0]
                }
                return [try row.decode("size"), try row.decode("taken_back")]
            }
            // Each on a day of its own, more than the person has on it.
            let days = (1...12).flatMap { month in (11...19).map { "2027-\(month < 10 ? "0" : "")\(month)-\($0)" } }
            let file =
                "external_id,employee_external_id,project_external_id,allocated_hours,required_skills,start_date,end_date\n"
                + "A1,E1,P1,48,,2026-12-07,2026-12-11\n"
                + days.map { "B\($0),E1,P1,10,Swift>=3,\($0),\($0)\n" }.joined()
            func run(isDryRun: Bool) async throws -> ImportReport {
                try await service.importCSV(.allocations, file, into: plan.tenant.id, isDryRun: isDryRun).data()
            }
            let before = try await traces()
            let said = try await run(isDryRun: true)
            let after = try await traces()
            let done = try await run(isDryRun: false)

            #expect(after == before)
            #expect(said.counts == "108 inserted, 1 updated, 0 unchanged, 0 rejected")
            #expect(said.counts == done.counts && said.warnings == done.warnings && !done.warnings.isEmpty)
        }
    }

    @Test("a line with a hundred thousand names in one list is refused at once", .timeLimit(.minutes(1)))
    func manyNamesInOneList() throws {
        let names = (0..<100_000).map { "\"s\($0)\"" }.joined(separator: ",")
        for (kind, field) in [(ImportKind.skills, "aliases"), (.projects, "required_skills")] {
            var reader = ImportRowReader(plan: ImportPlan(kind), format: .ndjson)
            let rows = try reader.read("{\"\(field)\":[\(names)]}\n".utf8)
            let row = try #require(rows.first)
            var copy: [UInt8] = []
            let outcome = ImportRowParser(plan: ImportPlan(kind), zone: .gmt).append(row, decimals: .point, to: &copy)

            #expect(outcome.errors.contains { $0.column == field })
            #expect(copy.isEmpty)
        }
    }

    @Test("a byte-order mark before the first line of NDJSON is no part of it, though it comes byte by byte")
    func byteOrderMark() throws {
        var reader = ImportRowReader(plan: ImportPlan(.departments), format: .ndjson)
        var rows: [ImportRow] = []
        for byte in "\u{feff}{\"name\":\"Lab\"}\r\n{\"name\":\"QA\"}".utf8 { rows += try reader.read([byte]) }
        rows += try reader.finish()

        #expect(rows.map { $0.cells[0] } == [.text("Lab"), .text("QA")])
        #expect(rows.allSatisfy { $0.errors.isEmpty })
    }

    @Test("a line or a header with more unknown names than a report has room for is refused with as many as it has")
    func manyNames() throws {
        let most = ImportTally.maximumNotes
        let names = (0..<3 * most).map { "x\($0)" }
        var reader = ImportRowReader(plan: ImportPlan(.departments), format: .ndjson)
        let members = names.map { "\"\($0)\":1" }.joined(separator: ",")
        let rows = try reader.read("{\"name\":\"Lab\",\(members)}\n".utf8)
        let header = #expect(throws: ImportFileError.self) {
            var reader = ImportRowReader(plan: ImportPlan(.departments), format: .csv)
            _ = try reader.read((names.joined(separator: ",") + "\n").utf8)
        }

        #expect(rows.map(\.errors.count) == [most])
        #expect(rows[0].errors.last?.column == "x\(most - 1)")
        #expect(header?.errors.count == most)
    }
}
