public import Foundation

// What tenant-admin keeps of people and work, as its lists show it.

public struct Department: Codable, Sendable, Equatable {
    public let id: DepartmentID
    public let name: String
    public let description: String?

    public init(id: DepartmentID, name: String, description: String?) {
        self.id = id
        self.name = name
        self.description = description
    }
}

public struct Skill: Codable, Sendable, Equatable {
    public let id: SkillID
    public let name: String
    public let category: String?
    /// Further words that find it.
    public let aliases: [String]

    public init(id: SkillID, name: String, category: String?, aliases: [String] = []) {
        self.id = id
        self.name = name
        self.category = category
        self.aliases = aliases
    }
}

public enum ProjectStatus: String, Codable, Sendable, CaseIterable {
    case planned
    case inProgress = "in_progress"
    case onHold = "on_hold"
    case completed
    case cancelled
}

extension ProjectStatus: DecodingPlaceholder {
    public static var decodingPlaceholder: ProjectStatus { .planned }
}

public struct Project: Codable, Sendable, Equatable {
    public let id: ProjectID
    public let externalId: String
    public let name: String
    public let status: ProjectStatus
    /// 0…100; nil when unknown.
    public let completionPercentage: Double?
    public let startDate: CivilDate?
    public let estimatedEndDate: CivilDate?
    public let endDate: CivilDate?
    public let requiredSkills: [String]
    /// By skill, where one asks for a level at least.
    public let leastLevels: [String: Int]?
    /// Versions that edits have replaced, oldest first; nil where there are none.
    public let earlierVersions: [ProjectVersion]?

    public init(
        id: ProjectID, externalId: String, name: String, status: ProjectStatus, completionPercentage: Double?,
        startDate: CivilDate?, estimatedEndDate: CivilDate?, endDate: CivilDate?, requiredSkills: [String],
        leastLevels: [String: Int]? = nil, earlierVersions: [ProjectVersion]? = nil
    ) {
        self.id = id
        self.externalId = externalId
        self.name = name
        self.status = status
        self.completionPercentage = completionPercentage
        self.startDate = startDate
        self.estimatedEndDate = estimatedEndDate
        self.endDate = endDate
        self.requiredSkills = requiredSkills
        self.leastLevels = leastLevels
        self.earlierVersions = earlierVersions
    }
}

/// How firm a booking is. Figures mean what is hard, unless they name what is soft.
public enum Commitment: String, Codable, Sendable, CaseIterable {
    case hard, soft
}

extension Commitment: DecodingPlaceholder {
    public static var decodingPlaceholder: Commitment { .hard }
}

public struct Allocation: Codable, Sendable, Equatable {
    public let id: AllocationID
    public let externalId: String
    public let employeeId: EmployeeID
    public let projectId: ProjectID
    /// The effort as stated, in one of three ways; nil where it is not stated so. Where more are stated, hours count before
    /// hours per day, and those before the percentage. Percent of the person's capacity, 0…100.
    public let allocationPercentage: Double?
    /// All hours of the booking, as planned now.
    public let allocatedHours: Double?
    /// On every day on which the person has capacity.
    public let hoursPerDay: Double?
    /// All hours as first planned; never changes. nil where none were stated.
    public let plannedHours: Double?
    /// Recorded hours; nil until known.
    public let actualHours: Double?
    public let commitment: Commitment
    public let isCancelled: Bool
    /// What the work is, in a few words.
    public let title: String?
    public let requiredSkills: [String]
    /// By skill, where one is required at a level at least.
    public let leastLevels: [String: Int]?
    /// Facts known at the decision.
    public let labels: [String: String]
    public let startDate: CivilDate
    public let endDate: CivilDate?
    /// When the outcome became known.
    public let completedAt: Date?
    /// The moment of the decision.
    public let createdAt: Date
    /// When the platform got to know of the booking: later than the decision where history was imported, and then what the
    /// booking said at its decision rests on the importer's word.
    public let recordedAt: Date
    /// False when the booking's state at its decision is not known; nil for true.
    public let isHistoryKnown: Bool?
    /// The booking as first decided for this person and this project; nil where nothing has been edited since.
    public let decided: DecidedAllocation?
    /// What the booking said before, oldest first: only in the history feed, and nil where nothing has been edited.
    public let earlier: [EarlierBooking]?

    public init(
        id: AllocationID, externalId: String, employeeId: EmployeeID, projectId: ProjectID,
        allocationPercentage: Double?, allocatedHours: Double?, hoursPerDay: Double? = nil, plannedHours: Double?,
        actualHours: Double?, commitment: Commitment = .hard, isCancelled: Bool = false, title: String? = nil,
        requiredSkills: [String], leastLevels: [String: Int]? = nil, labels: [String: String], startDate: CivilDate,
        endDate: CivilDate?, completedAt: Date?, createdAt: Date, recordedAt: Date? = nil, isHistoryKnown: Bool? = nil,
        decided: DecidedAllocation? = nil, earlier: [EarlierBooking]? = nil
    ) {
        self.id = id
        self.externalId = externalId
        self.employeeId = employeeId
        self.projectId = projectId
        self.allocationPercentage = allocationPercentage
        self.allocatedHours = allocatedHours
        self.hoursPerDay = hoursPerDay
        self.plannedHours = plannedHours
        self.actualHours = actualHours
        self.commitment = commitment
        self.isCancelled = isCancelled
        self.title = title
        self.requiredSkills = requiredSkills
        self.leastLevels = leastLevels
        self.labels = labels
        self.startDate = startDate
        self.endDate = endDate
        self.completedAt = completedAt
        self.createdAt = createdAt
        self.recordedAt = recordedAt ?? createdAt
        self.isHistoryKnown = isHistoryKnown
        self.decided = decided
        self.earlier = earlier
    }
}

/// A booking as the API shows it: what is stated, and beside it what that means in the other ways.
public struct AllocationDetail: Codable, Sendable, Equatable {
    public let allocation: Allocation
    public let derived: DerivedEffort

    private enum CodingKeys: CodingKey { case derived }

    public init(_ allocation: Allocation, derived: DerivedEffort) {
        self.allocation = allocation
        self.derived = derived
    }

    public init(from decoder: any Decoder) throws {
        allocation = try Allocation(from: decoder)
        derived = try decoder.container(keyedBy: CodingKeys.self).decode(DerivedEffort.self, forKey: .derived)
    }

    public func encode(to encoder: any Encoder) throws {
        try allocation.encode(to: encoder)
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(derived, forKey: .derived)
    }
}

public struct CapacityEntry: Codable, Sendable, Equatable {
    public let employeeId: EmployeeID
    public let date: CivilDate
    /// Percent of the day's capacity; may exceed 100.
    public let utilizationRate: Double

    public init(employeeId: EmployeeID, date: CivilDate, utilizationRate: Double) {
        self.employeeId = employeeId
        self.date = date
        self.utilizationRate = utilizationRate
    }
}
