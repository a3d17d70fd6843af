import Contracts
import Foundation

/// Which cell of a CSV's row belongs to which field of its kind.
struct CSVHeader: Sendable {
    /// For each of the kind's fields, in their order.
    private let positions: [Int?]
    private let width: Int
    let named: Set<String>

    /// - Throws: every unknown, doubled and missing column at once, up to the limit of a report.
    init(_ row: CSVReader.Row, plan: ImportPlan) throws(ImportFileError) {
        var names = row.fields.map { $0.trimmingCharacters(in: .whitespaces) }
        // A spreadsheet also saves the columns to the right of the last one that was ever used.
        while names.count > 1, names.last == "" { names.removeLast() }
        var errors: [ImportRowError] = []
        var seen: Set<String> = []
        for name in names where errors.count < ImportTally.maximumNotes {
            if !plan.fields.contains(where: { $0.name == name }) {
                let reason =
                    name.isEmpty ? "a column has no name" : "is not a column of \(plan.kind.rawValue)"
                errors.append(ImportRowError(line: row.line, column: name, reason: reason))
            } else if !seen.insert(name).inserted {
                errors.append(ImportRowError(line: row.line, column: name, reason: "stands in the header twice"))
            }
        }
        for field in plan.fields
        where field.isRequired && !names.contains(field.name) && errors.count < ImportTally.maximumNotes {
            errors.append(
                ImportRowError(line: row.line, column: field.name, reason: "is missing from the header"))
        }
        guard errors.isEmpty else { throw ImportFileError(errors) }
        positions = plan.fields.map { names.firstIndex(of: $0.name) }
        width = names.count
        named = seen
    }

    /// nil for a row without any value, which is a blank line.
    func row(_ row: CSVReader.Row) -> ImportRow? {
        if row.fields.allSatisfy({ ImportText.tidied($0).isEmpty }) { return nil }
        var result = ImportRow(line: row.line, cells: [])
        guard row.fields.count >= width, row.fields[width...].allSatisfy({ ImportText.tidied($0).isEmpty }) else {
            let reason = "has \(row.fields.count) fields, the header has \(width)"
            result.errors = [ImportRowError(line: row.line, column: "", reason: reason)]
            return result
        }
        result.cells = positions.map { position in position.map { .text(row.fields[$0]) } ?? .empty }
        return result
    }
}
