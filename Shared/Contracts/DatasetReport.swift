public import Foundation

/// `GET /datasets/{datasetId}/report`: what is in a dataset, and what is odd about it.
public struct DatasetReport: Codable, Sendable, Equatable {
    public let datasetId: DatasetID
    /// Training points: completed work with hours.
    public let rows: Int
    /// Firm allocations not completed at the as-of moment, on projects that are not closed; they say how busy people are, and teach no
    /// outcome.
    public let unfinishedWork: Int
    /// Completed, but with neither recorded nor planned hours: nothing can be learned from them.
    public let withoutHours: Int
    public let span: Span
    /// Where the hours of the rows come from.
    public let hoursSources: [Count]
    /// Fields that some rows lack, the emptiest first.
    public let missing: [MissingValues]
    public let outliers: Examples
    /// Rows that repeat an earlier one in everything but their id.
    public let duplicates: Examples
    /// Rows per person, most first.
    public let people: Group
    public let projects: Group
    public let skills: Group
    /// In plain words: "12 allocations completed before they started."
    public let warnings: [String]

    /// From when to when; nil without rows.
    public struct Span: Codable, Sendable, Equatable {
        public let firstDecision: Date?
        public let lastDecision: Date?
        public let firstCompletion: Date?
        public let lastCompletion: Date?

        public init(firstDecision: Date?, lastDecision: Date?, firstCompletion: Date?, lastCompletion: Date?) {
            self.firstDecision = firstDecision
            self.lastDecision = lastDecision
            self.firstCompletion = firstCompletion
            self.lastCompletion = lastCompletion
        }
    }

    public struct MissingValues: Codable, Sendable, Equatable {
        public let field: String
        public let rows: Int
        /// Of all rows, 0…1.
        public let share: Double

        public init(field: String, rows: Int, share: Double) {
            self.field = field
            self.rows = rows
            self.share = share
        }
    }

    /// How many, and the first few of them.
    public struct Examples: Codable, Sendable, Equatable {
        public static let limit = 20
        public let count: Int
        public let examples: [Example]

        public init(count: Int, examples: [Example]) {
            self.count = count
            self.examples = examples
        }
    }

    public struct Example: Codable, Sendable, Equatable {
        public let allocationId: AllocationID
        /// What is odd about it, in words.
        public let reason: String

        public init(allocationId: AllocationID, reason: String) {
            self.allocationId = allocationId
            self.reason = reason
        }
    }

    /// Rows per person, project or skill.
    public struct Group: Codable, Sendable, Equatable {
        public static let limit = 1_000
        /// How many different ones there are.
        public let distinct: Int
        /// Most rows first; at most ``limit`` of them.
        public let counts: [Count]

        public init(distinct: Int, counts: [Count]) {
            self.distinct = distinct
            self.counts = counts
        }
    }

    public struct Count: Codable, Sendable, Equatable {
        /// An id, a skill's name or a source of hours.
        public let key: String
        public let rows: Int

        public init(key: String, rows: Int) {
            self.key = key
            self.rows = rows
        }
    }

    public init(
        datasetId: DatasetID, rows: Int, unfinishedWork: Int, withoutHours: Int, span: Span, hoursSources: [Count],
        missing: [MissingValues], outliers: Examples, duplicates: Examples, people: Group, projects: Group,
        skills: Group, warnings: [String]
    ) {
        self.datasetId = datasetId
        self.rows = rows
        self.unfinishedWork = unfinishedWork
        self.withoutHours = withoutHours
        self.span = span
        self.hoursSources = hoursSources
        self.missing = missing
        self.outliers = outliers
        self.duplicates = duplicates
        self.people = people
        self.projects = projects
        self.skills = skills
        self.warnings = warnings
    }
}
