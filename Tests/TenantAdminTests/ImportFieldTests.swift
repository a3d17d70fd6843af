import Contracts
import Foundation
import Postgres
import ServiceKit
import ServiceStorage
import TestSupport
import Testing

@testable import TenantAdmin

@Suite("Import fields")
struct ImportFieldTests {
    /// A file of each kind with something in every column.
    private static let files: [ImportKind: String] = [
        .departments: "name,description\nLab,\"Two\nlines\"\n",
        .skills: "name,category,aliases\nSwift,Languages,SwiftLang;Apple Swift\n",
        .calendars: "name,is_default\nBavaria,true\n",
        .holidays: "calendar,date,name,minutes_off\nBavaria,2026-01-06,Epiphany,240\n",
        .employees:
            "external_id,name,email,department,weekly_capacity_hours,effective_from,hired_on,left_on,inactive_from,is_active\n"
            + "E1,Anna,anna@acme.example,Lab,32.5,2021-02-03,2020-01-01,2030-01-31,2029-01-01,true\n",
        .employment: "employee_external_id,first_day,last_day\nE1,ever,2021-05-06\n",
        .contracts:
            "employee_external_id,effective_from,weekly_capacity_hours,monday,tuesday,wednesday,thursday,friday,saturday,"
            + "sunday,calendar\nE1,2020-01-01,28,1,2,3,4,5,6,7,Bavaria\n",
        .leave:
            "external_id,employee_external_id,first_day,last_day,minutes_per_day,kind,status\n"
            + "L1,E1,2026-01-01,2026-01-02,240,sick,requested\n",
        .employeeSkills: "employee_external_id,skill,level,since\nE1,Swift,4,2021-05-06\n",
        .projects:
            "external_id,name,status,completion_percentage,start_date,estimated_end_date,end_date,required_skills\n"
            + "P1,Bridge,on_hold,40,2024-01-01,2024-02-01,2024-03-01,Swift>=2;SQL\n",
        .allocations: ImportTests.allocationHeader.replacing(
            "labels\n", with: "labels,planned_hours,hours_per_day,commitment,cancelled_at,title,history\n")
            + "A1,E1,P1,50,12.5,13.5,Swift;SQL,2024-03-01,2024-03-09,2024-03-08,2024-02-01T10:00:00.123456Z,a=1;b=2,"
            + "11,4.5,soft,2024-03-04,Fix it,unknown\n",
        .capacityHistory: "employee_external_id,date,utilization_rate\nE1,2024-01-02,80.5\n",
        .allocationVersions:
            "external_id,valid_from,valid_until,employee_external_id,project_external_id,allocation_percentage,"
            + "allocated_hours,hours_per_day,required_skills,start_date,end_date,labels,commitment,is_cancelled,title\n"
            + "A1,2024-01-01,2024-02-01,E1,P1,50,12.5,4.5,Swift;SQL,2024-03-01,2024-03-09,a=1,soft,true,Fix it\n",
        .projectVersions:
            "external_id,valid_from,valid_until,status,completion_percentage,start_date,estimated_end_date,end_date,"
            + "required_skills\nP1,2024-01-01,2024-02-01,on_hold,40,2024-01-01,2024-02-02,2024-03-01,Swift>=2\n",
    ]

    /// What stands in the staging table after a file, by column.
    private func staged(
        _ plan: ImportPlan, _ text: String, as format: ImportFormat = .csv, _ connection: PostgresConnection
    ) async throws -> JSONValue {
        let spool = Spool(in: ImportSettings.testing().space, of: TenantID())
        let tally = ImportTally()
        var stage = ImportStage(plan: plan, format: format, zone: .gmt, tally: tally)
        try await stage.run(AsyncStream.of(text), to: spool)
        #expect(tally.state.errors.isEmpty)
        try await connection.execute(plan.staging)
        _ = try await connection.copyIn(plan.copy, chunks: spool.chunks)
        let rows = try await connection.query("SELECT jsonb_agg(to_jsonb(r)) AS rows FROM pg_temp.import_rows r")
        try await connection.execute("DROP TABLE pg_temp.import_rows")
        return try rows[0].decode("rows", as: PostgresJSON<JSONValue>.self).value
    }

    @Test("the order of a kind's fields means nothing: every value lands in its own column, judged by its own rule")
    func orderMeansNothing() async throws {
        #expect(Set(Self.files.keys) == Set(ImportKind.allCases))
        try await TestService.run { service in
            for (kind, text) in Self.files {
                let plan = ImportPlan(kind)
                let header = text.prefix { $0 != "\n" }.split(separator: ",")
                #expect(Set(header.map(String.init)) == Set(plan.fields.map(\.name)), "\(kind)")
                try await service.pool.withTransaction { connection in
                    let first = try await staged(plan, text, connection)
                    for turn in 1..<plan.fields.count {
                        var turned = plan
                        turned.fields = Array(plan.fields[turn...] + plan.fields[..<turn])
                        #expect(try await staged(turned, text, connection) == first, "\(kind), turned by \(turn)")
                    }
                }
            }
        }
    }

    @Test("a bad value is refused by its own column's rule, whatever the order of the fields")
    func orderOfErrors() async throws {
        let plan = ImportPlan.allocations
        let text = ImportTests.allocationHeader + "A1,E1,P1,101,-1,x,,2024-02-30,soon,later,never,k\n"
        var turned = plan
        var reasons: [Set<String>] = []
        for _ in plan.fields.indices {
            turned.fields.append(turned.fields.removeFirst())
            let tally = ImportTally()
            var stage = ImportStage(plan: turned, format: .csv, zone: .gmt, tally: tally)
            try await stage.run(AsyncStream.of(text), to: Spool(in: ImportSettings.testing().space, of: TenantID()))
            reasons.append(Set(tally.state.errors.map { "\($0.column): \($0.reason)" }))
        }
        #expect(Set(reasons).count == 1)
        #expect(
            Set(reasons[0].map { String($0.prefix { $0 != ":" }) }) == [
                "allocation_percentage", "allocated_hours", "actual_hours", "start_date", "end_date", "completed_at",
                "created_at", "labels",
            ] as Set<String>)
    }

    @Test("quotes, backslashes, separators and letters of all kinds arrive as they were written")
    func quoting() async throws {
        let words = [#"a"b"#, #"c\d"#, #"\"#, "{e}", "f,g;h", "ünï 日本", "N", #"\\N"#]
        let labels = Dictionary(uniqueKeysWithValues: words.map { ($0, $0 + "=") })
        let line = try WireJSON.encode([
            "external_id": JSONValue.string(#"x\y"z"#), "employee_external_id": .string("E"),
            "project_external_id": .string("P"), "start_date": .string("2024-01-01"),
            "completed_at": .string("1969-07-20T20:17:40.000001Z"),
            "required_skills": .array(words.map(JSONValue.string)),
            "labels": .object(labels.mapValues(JSONValue.string)),
        ])
        try await TestService.run { service in
            let rows = try await service.pool.withTransaction {
                try await staged(.allocations, String(decoding: line, as: UTF8.self), as: .ndjson, $0)
            }
            guard case .array(let found) = rows, let row = found.first else { throw ProblemError.notFound("Row") }
            #expect(row["external_id"] == .string(#"x\y"z"#))
            #expect(row["required_skills"] == .array(words.map(JSONValue.string)))
            #expect(row["labels"] == .object(labels.mapValues(JSONValue.string)))
            #expect(row["completed_at"]?.stringValue?.contains("1969-07-20T20:17:40.000001") == true)
        }
    }
}
