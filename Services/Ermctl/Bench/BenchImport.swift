import ArgumentParser
import Contracts
import Foundation

/// `ermctl bench import`: how many allocation rows a second a running platform takes, with all validation.
struct BenchImportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import",
        abstract: "Measure how fast a running platform imports allocations.",
        discussion: """
            Imports made-up people and projects into the tenant that you are logged in to, then a file of allocations twice: \
            all new (`insert_…`), and without a change (`unchanged_…`). Use a tenant of its own.
            """)

    @Option(help: "Allocations.")
    var rows = 200_000
    @Option(help: "People whose allocations they are.")
    var people = 10_000

    func validate() throws {
        guard (1...2_000_000).contains(rows) else { throw ValidationError("--rows must be in 1…2000000.") }
        guard (1...100_000).contains(people) else { throw ValidationError("--people must be in 1…100000.") }
    }

    func run() async throws {
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("erm-bench-\(UUID()).csv")
        defer { try? FileManager.default.removeItem(at: file) }
        try await withClient(PlatformClient.loggedIn()) { client in
            func send(_ kind: ImportKind, _ text: String) async throws -> Double {
                try Data(text.utf8).write(to: file)
                let start = ContinuousClock.now
                let report: ImportReport = try await client.upload(
                    "/api/v1/imports?kind=\(kind.rawValue)", file: file, contentType: "text/csv"
                ) { _ in }
                guard report.rejected == 0 else { throw CommandFailure("\(report.rejected) rows were refused.") }
                return (ContinuousClock.now - start) / .seconds(1)
            }
            _ = try await send(
                .employees,
                "external_id,name,hired_on\n" + (0..<people).map { "BE\($0),Person \($0),2015-01-01\n" }.joined())
            _ = try await send(
                .projects,
                "external_id,name,status\n"
                    + (0..<Self.projects).map { "BP\($0),Project \($0),completed\n" }.joined())
            let allocations = allocationRows
            print("rows=\(rows) people=\(people) bytes=\(allocations.utf8.count)")
            for name in ["insert", "unchanged"] {
                let seconds = try await send(.allocations, allocations)
                print("\(name)_rows_per_s=\((Double(rows) / seconds).fixed(0))")
            }
        }
    }

    private static let projects = 200

    private var allocationRows: String {
        var text =
            "external_id,employee_external_id,project_external_id,allocation_percentage,allocated_hours,actual_hours,"
            + "required_skills,start_date,end_date,completed_at,created_at,labels\n"
        for index in 0..<rows {
            let start = CivilDate(daysSinceEpoch: 18_000 + index * 7 % 1_500)
            let end = start.adding(days: 4 + index % 20)
            let planned = Double(1 + index * 7 % 160) / 4
            text +=
                "BA\(index),BE\(index % people),BP\(index % Self.projects),,\(planned),\(planned * 1.25),"
                + "kind-\(index % 40);Swift,\(start),\(end),\(end)T16:00:00.000Z,\(start)T08:00:00.000Z,"
                + "priority=\(index % 5);package=W\(index % 60)\n"
        }
        return text
    }
}
