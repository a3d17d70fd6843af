public import Foundation

/// The files of the import format (docs/architecture.md#import-format), in the order in which they refer to each other.
public enum ImportKind: String, Codable, Sendable, CaseIterable {
    case departments
    case skills
    case calendars
    case holidays
    case employees
    case employment
    case contracts
    case leave
    case employeeSkills = "employee_skills"
    case projects
    case allocations
    case capacityHistory = "capacity_history"
    case allocationVersions = "allocation_versions"
    case projectVersions = "project_versions"

    public var fileName: String { "\(rawValue).csv" }
}

public enum ImportErrorPolicy: String, Codable, Sendable, CaseIterable {
    /// One bad row and nothing of the file is applied.
    case abort
    /// The good rows are applied.
    case skip
}

/// What an imported allocation that was decided before it was imported says of the moment of its decision.
public enum ImportHistory: String, Codable, Sendable, CaseIterable {
    /// The importer states that the booking was decided as it is imported.
    case asDecided = "as_decided"
    /// The state at the decision is not known: only the booking's plan counts as known then.
    case unknown
}

/// How far a file has come, or what became of it.
public enum ImportStatus: String, Codable, Sendable, CaseIterable {
    /// Its bytes are arriving; nothing of it is in the tenant's tables yet.
    case receiving
    /// It has arrived whole and is being written, in one transaction.
    case applying
    case applied
    /// Nothing of it was applied.
    case rejected
    /// It was asked what would happen, and nothing did.
    case dryRun = "dry_run"
}

/// What is wrong with a row of an import, or unusual about it.
public struct ImportRowError: Codable, Sendable, Equatable {
    /// Line of the file, the header being 1; a quoted field may span several.
    public let line: Int
    public let column: String
    public let reason: String

    public init(line: Int, column: String, reason: String) {
        self.line = line
        self.column = Self.shown(column)
        self.reason = Self.shown(reason)
    }

    /// Both quote the file: short, and without control characters, some of which no database stores.
    private static func shown(_ text: String) -> String {
        var scalars = String.UnicodeScalarView()
        for scalar in text.unicodeScalars.prefix(200) {
            scalars.append(scalar.value < 0x20 || scalar.value == 0x7f ? "\u{fffd}" : scalar)
        }
        return String(scalars) + (text.unicodeScalars.count > 200 ? "…" : "")
    }
}

/// `POST /imports?kind=&onError=&dryRun=&id=` and `GET /imports/{id}`. While the file is under way the counts are those so far.
public struct ImportReport: Codable, Sendable {
    public let id: ImportID
    public let kind: ImportKind
    public let status: ImportStatus
    public let receivedBytes: Int
    public let rowsRead: Int
    public let inserted: Int
    public let updated: Int
    /// Rows already in the database exactly so.
    public let unchanged: Int
    /// Of the rows updated, those in which `\N` or `null` removed an existing value.
    public let cleared: Int
    public let rejected: Int
    /// The first 1,000 bad rows.
    public let errors: [ImportRowError]
    /// The first 1,000 things that are unusual about good rows: figures that look like another unit, an e-mail address of two
    /// people, a person over-booked.
    public let warnings: [ImportRowError]
    public let createdAt: Date

    public init(
        id: ImportID, kind: ImportKind, status: ImportStatus, receivedBytes: Int, rowsRead: Int, inserted: Int = 0,
        updated: Int = 0, unchanged: Int = 0, cleared: Int = 0, rejected: Int, errors: [ImportRowError],
        warnings: [ImportRowError] = [], createdAt: Date
    ) {
        self.id = id
        self.kind = kind
        self.status = status
        self.receivedBytes = receivedBytes
        self.rowsRead = rowsRead
        self.inserted = inserted
        self.updated = updated
        self.unchanged = unchanged
        self.cleared = cleared
        self.rejected = rejected
        self.errors = errors
        self.warnings = warnings
        self.createdAt = createdAt
    }
}
