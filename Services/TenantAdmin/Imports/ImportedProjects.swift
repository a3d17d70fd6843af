import Contracts
import Ledger
import Postgres
import ServiceKit
import ServiceStorage

/// What projects that an import lets go on take of their people: what a PATCH of each would be told, by line of the file.
struct ImportedProjects: ImportedPlanning {
    private let connection: PostgresConnection
    /// Projects as they will be when the file is written.
    private let written: LedgerReader.Tables
    private var growing: [(line: Int, load: ProjectLoad)] = []

    init(_ application: ImportApplication) async throws {
        connection = application.connection
        written = Self.written(application.plan, application.staged.columns)
        let rows = try await connection.query(
            """
            SELECT t.id, t.status AS former, r.status, r.line FROM pg_temp.import_rows r
            JOIN projects t ON t.external_id = r.external_id WHERE r.status <> t.status ORDER BY r.line
            """)
        let projects = try rows.map { row in
            (
                line: try row.decode("line", as: Int.self), id: try row.decode("id", as: ProjectID.self),
                grows: ProjectLoad.grows(from: try row.decode("former"), to: try row.decode("status"))
            )
        }.filter(\.grows)
        guard !projects.isEmpty else { return }
        try await ProjectLoad.lockPeople(of: projects.map(\.id), on: connection)
        for (line, id, _) in projects { growing.append((line, try await ProjectLoad(of: id, on: connection))) }
    }

    private static func written(_ plan: ImportPlan, _ columns: ImportColumns) -> LedgerReader.Tables {
        let values = ["status", "start_date", "end_date", "estimated_end_date"].map { name -> SQL in
            let value = plan.merged(plan.field(name), columns) ?? "t.\(identifier: name)"
            return "\(sql: value) AS \(identifier: name)"
        }
        return LedgerReader.Tables(
            projects: """
                (SELECT t.id, \(sql: values.joined(separator: ", "))
                    FROM projects t LEFT JOIN pg_temp.import_rows r ON r.external_id = t.external_id) written
                """)
    }

    func refused() async throws -> [ImportRowError] {
        guard !growing.isEmpty else { return [] }
        let staged: [Int] = try await connection.query("SELECT line FROM pg_temp.import_rows").map {
            try $0.decode("line")
        }
        let lines = Set(staged)
        var errors: [ImportRowError] = []
        for (line, load) in growing where lines.contains(line) {
            let (warnings, isRefused) = try await load.grown(in: written, on: connection)
            guard isRefused, let first = warnings.first else { continue }
            errors.append(ImportRowError(line: line, column: "status", reason: first.message))
        }
        return errors
    }

    /// Projects as they will be are read without a copy.
    func rehearse() async throws {}

    func warnings(atMost limit: Int, isForeseen: Bool) async throws -> [ImportRowError] {
        var warnings: [ImportRowError] = []
        for (line, load) in growing where warnings.count < limit {
            warnings += try await load.grown(in: isForeseen ? written : .init(), on: connection).warnings.map {
                ImportRowError(line: line, column: "", reason: $0.message)
            }
        }
        return Array(warnings.prefix(limit))
    }
}
