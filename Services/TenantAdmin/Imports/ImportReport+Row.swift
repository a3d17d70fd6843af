import Contracts
import Foundation
import Postgres
import ServiceKit
import ServiceStorage

extension ImportReport {
    static let columns: SQL = """
        id, kind, status, rows_read, inserted, updated, unchanged, rejected, errors, created_at
        """

    static let columnsWithoutErrors: SQL = """
        id, kind, status, rows_read, inserted, updated, unchanged, rejected, '[]'::jsonb as errors, created_at
        """

    init(_ row: PostgresRow) throws {
        self.init(
            id: try row.decode("id"), kind: ImportKind(rawValue: try row.decode("kind")) ?? .allocations,
            status: try row.decode("status"), rowsRead: try row.decode("rows_read"),
            inserted: try row.decode("inserted"),
            updated: try row.decode("updated"), unchanged: try row.decode("unchanged"),
            rejected: try row.decode("rejected"),
            errors: try row.decode("errors", as: PostgresJSON<[ImportRowError]>.self).value,
            createdAt: try row.decode("created_at"))
    }

    /// Stores the report and its audit entry in the transaction under way.
    func store(policy: ImportErrorPolicy, by author: Author, on connection: PostgresConnection) async throws {
        try await connection.execute(
            """
            insert into imports (id, kind, status, on_error, rows_read, inserted, updated, unchanged, rejected, errors,
                actor, created_at)
            values (\(id.rawValue), \(kind.rawValue), \(status), \(policy.rawValue), \(rowsRead), \(inserted), \(updated),
                \(unchanged), \(rejected), \(json: errors), \(author.name), \(createdAt))
            """)
        let details: [String: JSONValue] = [
            "kind": .string(kind.rawValue), "status": .string(status), "inserted": .integer(inserted),
            "updated": .integer(updated), "rejected": .integer(rejected),
        ]
        try await AuditLog.record(
            Change("import", "import", id.description, details: details), by: author, on: connection)
    }

    /// The same outcome as a problem, for a file of which nothing was applied.
    var problem: (sentence: String, errors: [FieldError]) {
        let what =
            rejected == 0 ? "The file cannot be read" : "\(rejected) of \(rowsRead) rows are bad"
        return (
            "\(what); nothing was applied. Details: GET /api/v1/imports/\(id).",
            errors.map { FieldError(field: $0.place, message: $0.reason) }
        )
    }
}

extension ImportRowError {
    /// `line 12, allocated_hours`
    var place: String {
        // Line 0 stands for the file as a whole.
        let line = line == 0 ? "file" : "line \(line)"
        return column.isEmpty ? line : "\(line), \(column)"
    }
}
