import Contracts
import Postgres
import ServiceStorage

/// The columns a PATCH changes.
struct ColumnChanges: Sendable {
    private var assignments: [SQL] = []
    /// The columns' names, for the audit log.
    private(set) var names: [String] = []

    /// nil leaves the column as it is.
    mutating func set(_ column: String, _ value: (some PostgresEncodable)?) {
        if let value { set(column, to: "\(value)") }
    }

    mutating func set<Value: PostgresEncodable>(_ column: String, _ patch: Patch<Value>) {
        switch patch {
        case .unchanged: break
        case .null: set(column, to: "NULL")
        case .value(let value): set(column, to: "\(value)")
        }
    }

    mutating func set(_ column: String, to value: SQL) {
        assignments.append("\(identifier: column) = \(sql: value)")
        names.append(column)
    }

    /// - Returns: ``names``.
    @discardableResult
    func apply<Entity>(
        to table: String, id: Identifier<Entity>, on connection: PostgresConnection
    ) async throws -> [String] {
        guard !assignments.isEmpty else { return [] }
        try await connection.execute(
            "UPDATE \(identifier: table) SET \(sql: assignments.joined(separator: ", ")) WHERE id = \(id)")
        return names
    }
}
