import Contracts
import Foundation

/// Which field of a CSV row belongs to which column of its kind.
struct CSVHeader: Sendable {
    private let positions: [Int?]
    private let width: Int

    /// - Throws: every unknown, doubled and missing column at once.
    init(_ row: CSVReader.Row, kind: ImportKind) throws(ImportFileError) {
        let names = row.fields.map(Self.name)
        var errors: [ImportRowError] = []
        var seen: Set<String> = []
        for name in names {
            if !kind.allColumns.contains(name) {
                let reason =
                    name.isEmpty ? "a column has no name" : "is not a column of \(kind.rawValue)"
                errors.append(ImportRowError(line: row.line, column: name, reason: reason))
            } else if !seen.insert(name).inserted {
                errors.append(ImportRowError(line: row.line, column: name, reason: "stands in the header twice"))
            }
        }
        for name in kind.requiredColumns where !seen.contains(name) {
            errors.append(ImportRowError(line: row.line, column: name, reason: "is missing from the header"))
        }
        guard errors.isEmpty else { throw ImportFileError(errors) }
        positions = kind.allColumns.map { names.firstIndex(of: $0) }
        width = names.count
    }

    static func name(_ field: String) -> String { field.trimmingCharacters(in: .whitespaces) }

    func row(_ row: CSVReader.Row) -> ImportRow {
        var result = ImportRow(line: row.line, fields: [])
        guard row.fields.count == width else {
            let reason = "has \(row.fields.count) fields, the header has \(width)"
            result.errors = [ImportRowError(line: row.line, column: "", reason: reason)]
            return result
        }
        result.fields = positions.map { position in position.map { .text(row.fields[$0]) } ?? .empty }
        return result
    }
}
