import Contracts
import Ledger
import Postgres
import ServiceKit
import ServiceStorage

/// What projects that an import lets go on take of their people: what a PATCH of each would be told, by line of the file.
struct ImportedProjects: ImportedPlanning {
    private let connection: PostgresConnection
    private var growing: [(line: Int, load: ProjectLoad)] = []

    init(on connection: PostgresConnection) async throws {
        self.connection = connection
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

    func refused() async throws -> [ImportRowError] {
        var errors: [ImportRowError] = []
        for (line, load) in growing {
            let (warnings, isRefused) = try await load.grown(on: connection)
            guard isRefused, let first = warnings.first else { continue }
            errors.append(ImportRowError(line: line, column: "status", reason: first.message))
        }
        return errors
    }

    func warnings(atMost limit: Int) async throws -> [ImportRowError] {
        var warnings: [ImportRowError] = []
        for (line, load) in growing where warnings.count < limit {
            warnings += try await load.grown(on: connection).warnings.map {
                ImportRowError(line: line, column: "", reason: $0.message)
            }
        }
        return Array(warnings.prefix(limit))
    }
}
