import Contracts

/// One column of the import format: what may stand in it and how it is staged.
struct ImportColumn: Sendable {
    enum Rule: Sendable {
        case text(maximum: Int)
        case email
        case number(ClosedRange<Double>)
        case integer(ClosedRange<Int>)
        case date
        case time
        case oneOf([String])
        case list
        case labels
        case flag
    }

    let name: String
    let rule: Rule
    /// Whether a row means nothing without it.
    let isRequired: Bool

    /// The column's type in the staging table.
    var sqlType: String {
        switch rule {
        case .text, .email, .oneOf: "text"
        case .number: "double precision"
        case .integer: "integer"
        case .date: "date"
        case .time: "timestamptz"
        case .list: "text[]"
        case .labels: "jsonb"
        case .flag: "boolean"
        }
    }
}

extension ImportKind {
    /// Every column a file may name.
    var allColumns: [String] { columns + furtherColumns }

    /// The rules of the columns, in the order of `allColumns`.
    var rules: [ImportColumn] {
        zip(allColumns, rulesInOrder).map { name, rule in
            ImportColumn(name: name, rule: rule, isRequired: requiredColumns.contains(name))
        }
    }

    /// Columns that must not come the wrong way round in one row.
    var orderedPairs: [(earlier: String, later: String)] {
        switch self {
        case .employees: [("hired_on", "left_on")]
        case .projects: [("start_date", "estimated_end_date"), ("start_date", "end_date")]
        case .allocations: [("start_date", "end_date"), ("created_at", "completed_at")]
        default: []
        }
    }

    private var rulesInOrder: [ImportColumn.Rule] {
        let name = ImportColumn.Rule.text(maximum: 200)
        let hours = ImportColumn.Rule.number(0...1_000_000)
        return switch self {
        case .departments: [name, .text(maximum: 2000)]
        case .skills: [.text(maximum: 100), name]
        case .employees: [name, name, .email, name, .number(0...168), .date, .date, .flag]
        case .employeeSkills: [name, .text(maximum: 100), .integer(1...5), .date]
        case .projects:
            [name, name, .oneOf(ProjectStatus.allCases.map(\.rawValue)), .number(0...100), .date, .date, .date, .list]
        case .allocations:
            [name, name, name, .number(0...100), hours, hours, .list, .date, .date, .time, .time, .labels, hours]
        case .capacityHistory: [name, .date, .number(0...10_000)]
        }
    }
}
