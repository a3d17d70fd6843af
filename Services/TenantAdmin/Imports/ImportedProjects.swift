import Contracts
import Ledger
import Postgres
import ServiceKit
import ServiceStorage

/// What projects that an import lets go on take of their people: what a PATCH of each would be told, by line of the file.
struct ImportedProjects: ImportedPlanning {
    private let connection: PostgresConnection
    private let plan: ImportPlan
    private let columns: ImportColumns
    private var growing: [(line: Int, load: ProjectLoad)] = []

    init(_ application: ImportApplication) async throws {
        connection = application.connection
        plan = application.plan
        columns = application.staged.columns
        let projects = try await connection.query(
            """
            SELECT t.id, r.line FROM pg_temp.import_rows r JOIN projects t ON t.external_id = r.external_id
            WHERE \(sql: Self.grows) ORDER BY r.line
            """
        ).map { row in (line: try row.decode("line", as: Int.self), id: try row.decode("id", as: ProjectID.self)) }
        guard !projects.isEmpty else { return }
        let isLocking = !application.order.isDryRun
        if isLocking {
            // A writer who books on one of these projects holds its row: the lock waits for it, so that its person is among those judged.
            try await connection.execute("LOCK TABLE projects IN EXCLUSIVE MODE")
            try await ProjectLoad.lockPeople(of: projects.map(\.id), on: connection)
        }
        for (line, id) in projects {
            growing.append((line, try await ProjectLoad(of: id, locking: isLocking, on: connection)))
        }
    }

    private static let grows = ProjectLoad.grows(from: "t.status", to: "r.status")

    /// Projects as they will be when the rows are written that `isWritten` says of `r`.
    private func written(where isWritten: SQL = "true") -> LedgerReader.Tables {
        let values = ["status", "start_date", "end_date", "estimated_end_date"].map { name -> SQL in
            let value = plan.merged(plan.field(name), columns) ?? "t.\(identifier: name)"
            return "\(sql: value) AS \(identifier: name)"
        }
        return LedgerReader.Tables(
            projects: """
                (SELECT t.id, \(sql: values.joined(separator: ", "))
                    FROM projects t LEFT JOIN pg_temp.import_rows r ON r.external_id = t.external_id
                        AND \(sql: isWritten)) written
                """)
    }

    /// Each project is judged beside those that the lines before it let go on, as though they came one after the other.
    func refused() async throws -> [ImportRowError] {
        guard !growing.isEmpty else { return [] }
        let staged: [Int] = try await connection.query("SELECT line FROM pg_temp.import_rows").map {
            try $0.decode("line")
        }
        let lines = Set(staged)
        var errors: [ImportRowError] = []
        for (line, load) in growing where lines.contains(line) {
            let isWritten: SQL = """
                (r.line <= \(line) OR NOT \(sql: Self.grows)) AND r.line <> ALL(\(errors.map(\.line))::bigint[])
                """
            let (warnings, isRefused) = try await load.grown(in: written(where: isWritten), on: connection)
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
            warnings += try await load.grown(in: isForeseen ? written() : .init(), on: connection).warnings.map {
                ImportRowError(line: line, column: "", reason: $0.message)
            }
        }
        return Array(warnings.prefix(limit))
    }
}
