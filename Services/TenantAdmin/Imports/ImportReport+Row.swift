import Contracts
import Foundation
import Postgres
import ServiceKit
import ServiceStorage

extension ImportReport {
    static let columns: SQL = """
        id, kind, status, received_bytes, rows_read, inserted, updated, unchanged, cleared, rejected, errors, warnings,
        created_at
        """

    static let columnsWithoutErrors: SQL = """
        id, kind, status, received_bytes, rows_read, inserted, updated, unchanged, cleared, rejected,
        '[]'::jsonb AS errors, '[]'::jsonb AS warnings, created_at
        """

    init(_ row: PostgresRow) throws {
        self.init(
            id: try row.decode("id"), kind: try row.decode("kind"), status: try row.decode("status"),
            receivedBytes: try row.decode("received_bytes"), rowsRead: try row.decode("rows_read"),
            inserted: try row.decode("inserted"), updated: try row.decode("updated"),
            unchanged: try row.decode("unchanged"), cleared: try row.decode("cleared"),
            rejected: try row.decode("rejected"),
            errors: try row.decode("errors", as: PostgresJSON<[ImportRowError]>.self).value,
            warnings: try row.decode("warnings", as: PostgresJSON<[ImportRowError]>.self).value,
            createdAt: try row.decode("created_at"))
    }

    /// Stores the report and its audit entry in the transaction under way.
    func store(policy: ImportErrorPolicy, by author: Author, on connection: PostgresConnection) async throws {
        try await connection.execute(
            """
            INSERT INTO imports (id, kind, status, on_error, received_bytes, rows_read, inserted, updated, unchanged,
                cleared, rejected, errors, warnings, actor, created_at)
            VALUES (\(id), \(kind), \(status), \(policy), \(receivedBytes), \(rowsRead), \(inserted), \(updated),
                \(unchanged), \(cleared), \(rejected), \(json: errors), \(json: warnings), \(author.name), \(createdAt))
            """)
        let details: [String: JSONValue] = [
            "kind": .string(kind.rawValue), "status": .string(status.rawValue), "inserted": .integer(inserted),
            "updated": .integer(updated), "cleared": .integer(cleared), "rejected": .integer(rejected),
        ]
        try await AuditLog.record(
            Change("import", "import", id.description, details: details), by: author, on: connection)
    }

    /// The same outcome as a problem, for a file that was refused as a whole.
    /// - Parameter isStored: whether it can be read again.
    func problem(isStored: Bool) -> (sentence: String, errors: [FieldError]) {
        let what =
            rejected == 0 ? "The file cannot be read" : "\(rejected) of \(rowsRead) rows are bad"
        return (
            "\(what); nothing was applied.\(isStored ? " Details: GET /api/v1/imports/\(id)." : "")",
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
