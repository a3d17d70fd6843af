import Postgres

/// One field of an import: its column in the file, what may stand in it, and where it goes.
///
/// A kind's array of these is the only list of its fields. The header, the staging table, the plan, the export and the page
/// `docs/import-format.md` follow from it, each by going through the same array, so that nothing depends on its order.
struct ImportField: Sendable {
    /// The column's name in a file.
    let name: String
    let rule: ImportRule
    /// Whether a row means nothing without it.
    let isRequired: Bool
    /// The columns of the kind's table that it fills; none where it only says how another field is meant.
    let targets: [ImportTarget]
    /// What an export writes. In its SQL `t` is a row of the kind's table.
    let export: SQL
    /// What it means, for the documentation: a sentence without its full stop.
    let about: String

    /// A field that may be left out.
    static func optional(
        _ name: String, _ rule: ImportRule, _ about: String, _ targets: ImportTarget..., export: SQL? = nil
    ) -> ImportField {
        ImportField(
            name: name, rule: rule, isRequired: false, targets: targets, export: export ?? written(name, rule),
            about: about)
    }

    static func required(
        _ name: String, _ rule: ImportRule, _ about: String, _ targets: ImportTarget..., export: SQL? = nil
    ) -> ImportField {
        ImportField(
            name: name, rule: rule, isRequired: true, targets: targets, export: export ?? written(name, rule),
            about: about)
    }

    /// Moments are written to the microsecond, as the database holds them.
    private static func written(_ name: String, _ rule: ImportRule) -> SQL {
        let column: SQL = "t.\(identifier: name)"
        guard case .time = rule else { return column }
        return "to_char(\(sql: column) AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')"
    }

    /// Whether `\N` may stand in it.
    var canBeCleared: Bool { !isRequired && targets.contains { $0.cleared != nil } }
}

/// What may stand in a field.
enum ImportRule: Sendable {
    case text(maximum: Int)
    /// Text of several lines.
    case prose(maximum: Int)
    case email
    case number(ClosedRange<Double>)
    /// From 0 to 100, or to the limit that is given.
    case percentage(maximum: Double)
    case weeklyHours
    case dailyHours
    case integer(ClosedRange<Int>)
    case date
    /// A day, or `ever` for one before all others.
    case dayOrEver
    case time
    case oneOf([String])
    /// The name of a skill.
    case skill
    /// Names of one skill.
    case names
    /// Names of skills, each perhaps with the least level that is asked for: `Swift>=3`.
    case skills
    case labels
    case flag

    /// Names and external ids.
    static let name = ImportRule.text(maximum: 200)

    /// The type of the field's column in the staging table.
    var sqlType: SQL {
        switch self {
        case .text, .prose, .email, .oneOf, .skill: "text"
        case .number, .percentage, .weeklyHours, .dailyHours: "double precision"
        case .integer: "integer"
        case .date, .dayOrEver: "date"
        case .time: "timestamptz"
        case .names, .skills: "text[]"
        case .labels: "jsonb"
        case .flag: "boolean"
        }
    }
}

/// A column of the kind's table that a field fills. In its SQL `r` is a staged row, `t` the row of the table that `r` names.
struct ImportTarget: Sendable {
    let column: String
    /// What a new row gets.
    let inserted: SQL
    /// What a row that is there becomes, which is what is there where the staged row does not say; nil for a column that is
    /// written once.
    let updated: SQL?
    /// What it becomes where the staged row clears the field; nil where it cannot be cleared.
    var cleared: SQL?
    /// Other fields that ``updated`` looks at.
    var alsoFrom: Set<String> = []

    /// A column that holds what the field of its name says.
    /// - Parameter whenAbsent: what a new row has that does not say; nil for NULL.
    static func column(_ column: String, whenAbsent: SQL? = nil, cleared: SQL? = "NULL") -> ImportTarget {
        .value("r.\(identifier: column)", column, whenAbsent: whenAbsent, cleared: cleared)
    }

    /// A column that never is without a value.
    static func kept(_ column: String, whenAbsent: SQL? = nil) -> ImportTarget {
        .column(column, whenAbsent: whenAbsent, cleared: nil)
    }

    /// A column that is written once.
    static func fixed(_ column: String) -> ImportTarget {
        ImportTarget(column: column, inserted: "r.\(identifier: column)", updated: nil)
    }

    /// A column that holds the id of what the field names.
    static func reference(
        _ column: String, _ id: SQL, isEditable: Bool = true, cleared: SQL? = nil
    ) -> ImportTarget {
        guard isEditable else { return ImportTarget(column: column, inserted: id, updated: nil) }
        return .value(id, column, cleared: cleared)
    }

    private static func value(
        _ value: SQL, _ column: String, whenAbsent: SQL? = nil, cleared: SQL? = nil
    ) -> ImportTarget {
        ImportTarget(
            column: column, inserted: whenAbsent.map { "coalesce(\(sql: value), \(sql: $0))" } ?? value,
            updated: "coalesce(\(sql: value), t.\(identifier: column))", cleared: cleared)
    }
}
