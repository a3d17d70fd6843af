public import Foundation

/// The files of the import format (DESIGN §10), in the order in which they refer to each other.
public enum ImportKind: String, Codable, Sendable, CaseIterable {
    case departments
    case skills
    case employees
    case employeeSkills = "employee_skills"
    case projects
    case allocations
    case capacityHistory = "capacity_history"

    public var fileName: String { "\(rawValue).csv" }

    /// The columns a CSV's header row may name.
    public var columns: [String] {
        switch self {
        case .departments: ["name", "description"]
        case .skills: ["name", "category"]
        case .employees:
            ["external_id", "name", "email", "department", "weekly_capacity_hours", "hired_on", "left_on"]
        case .employeeSkills: ["employee_external_id", "skill", "level", "since"]
        case .projects:
            [
                "external_id", "name", "status", "completion_percentage", "start_date", "estimated_end_date",
                "end_date",
                "required_skills",
            ]
        case .allocations:
            [
                "external_id", "employee_external_id", "project_external_id", "allocation_percentage",
                "allocated_hours",
                "actual_hours", "required_skills", "start_date", "end_date", "completed_at", "created_at", "labels",
            ]
        case .capacityHistory: ["employee_external_id", "date", "utilization_rate"]
        }
    }

    /// Columns that a file may name beside those: what an export has and most files do not.
    public var furtherColumns: [String] {
        switch self {
        // Whether somebody is active although his dates say otherwise.
        case .employees: ["is_active"]
        // The hours as first planned, where they have been changed since; only for new allocations.
        case .allocations: ["planned_hours"]
        default: []
        }
    }

    /// The columns without which a row means nothing.
    public var requiredColumns: [String] {
        switch self {
        case .departments, .skills: ["name"]
        case .employees: ["external_id", "name"]
        case .employeeSkills: ["employee_external_id", "skill"]
        case .projects: ["external_id", "name", "status"]
        case .allocations:
            ["external_id", "employee_external_id", "project_external_id", "start_date"]
        case .capacityHistory: ["employee_external_id", "date", "utilization_rate"]
        }
    }
}

public enum ImportErrorPolicy: String, Codable, Sendable, CaseIterable {
    /// One bad row and nothing of the file is applied.
    case abort
    /// The good rows are applied.
    case skip
}

/// What became of a file.
public enum ImportStatus: String, Codable, Sendable, CaseIterable {
    case applied, rejected
}

/// A row of an import that cannot be applied.
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

/// `POST /imports?kind=&onError=` and `GET /imports/{id}`.
public struct ImportReport: Codable, Sendable {
    public let id: ImportID
    public let kind: ImportKind
    /// `applied` or `rejected`.
    public let status: String
    public let rowsRead: Int
    public let inserted: Int
    public let updated: Int
    /// Rows already in the database exactly so.
    public let unchanged: Int
    public let rejected: Int
    /// The first 1,000 bad rows.
    public let errors: [ImportRowError]
    public let createdAt: Date

    public init(
        id: ImportID, kind: ImportKind, status: String, rowsRead: Int, inserted: Int, updated: Int, unchanged: Int,
        rejected: Int, errors: [ImportRowError], createdAt: Date
    ) {
        self.id = id
        self.kind = kind
        self.status = status
        self.rowsRead = rowsRead
        self.inserted = inserted
        self.updated = updated
        self.unchanged = unchanged
        self.rejected = rejected
        self.errors = errors
        self.createdAt = createdAt
    }
}
