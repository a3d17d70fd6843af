import FoundationEssentials

/// The names of a result's columns, shared by all its rows.
final class PostgresColumns: Sendable {
    let names: [String]
    /// What they were asked with, for errors.
    let statement: String
    private let positions: [String: Int]

    init(names: [String], statement: String) {
        self.names = names
        self.statement = statement
        // Of two columns with one name the first wins, as in libpq.
        positions = Dictionary(names.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
    }

    func position(of name: String) -> Int? { positions[name] }
}

/// One row of a result.
public struct PostgresRow: Sendable {
    let columns: PostgresColumns
    let result: LibpqResult
    /// The row's place in `result`.
    let index: Int
    /// The row's place among all that the statement gave, counted from 1.
    let number: Int

    /// The rows of a whole result.
    static func all(of result: LibpqResult, _ statement: RenderedSQL) -> [PostgresRow] {
        let columns = PostgresColumns(names: result.columnNames, statement: statement.text)
        return (0..<result.rowCount).map { index in
            PostgresRow(columns: columns, result: result, index: index, number: index + 1)
        }
    }

    /// The names of the columns in order.
    public var columnNames: [String] { columns.names }

    /// The value of the named column.
    /// - Throws: `decoding`, naming table, column and row, if there is none, it is NULL and `T` is not optional, or it is no `T`.
    public func decode<T: PostgresDecodable>(_ column: String, as type: T.Type = T.self) throws -> T {
        guard let position = columns.position(of: column) else {
            throw PostgresError(
                .decoding, "There is no column \"\(column)\"; there are: \(columns.names.joined(separator: ", ")).")
        }
        return try value(at: position)
    }

    /// The value of the column at `position`, counted from 0.
    public func decode<T: PostgresDecodable>(at position: Int, as type: T.Type = T.self) throws -> T {
        guard columns.names.indices.contains(position) else {
            throw PostgresError(.decoding, "There is no column \(position); there are \(columns.names.count).")
        }
        return try value(at: position)
    }

    /// All columns at once, in order: `let (id, name) = try row.decode(UUID.self, String.self)`.
    public func decode<each T: PostgresDecodable>(_ types: repeat (each T).Type) throws -> (repeat each T) {
        var position = 0
        func next<U: PostgresDecodable>(_ type: U.Type) throws -> U {
            defer { position += 1 }
            return try decode(at: position, as: type)
        }
        return (repeat try next(each types))
    }

    private func value<T: PostgresDecodable>(at position: Int) throws -> T {
        do {
            guard let text = result.text(row: index, column: position) else { return try T.fromPostgresNull() }
            return try T(postgresText: text)
        } catch {
            let name = columns.names[position]
            var failure = PostgresError(
                .decoding, "Column \"\(name)\" of \(rowName) does not decode as \(T.self).", underlying: error)
            failure.columnName = name
            failure.tableName = StatementTraits.firstTable(of: columns.statement)
            failure.statement = columns.statement
            throw failure
        }
    }

    /// Tells rows apart without showing their data: an id, where the row has one that is a UUID or a number, else the
    /// row's number.
    private var rowName: String {
        if let position = columns.position(of: "id"), let id = result.text(row: index, column: position),
            UUID(uuidString: id) != nil || Int(id) != nil
        {
            return "the row \(id)"
        }
        return "row \(number)"
    }
}
