public import Foundation

/// A booking as it was decided for the person and the project that it is for, where it has been edited since. What a model
/// may use of the booking is this; what it says today may know the outcome.
public struct DecidedAllocation: Codable, Sendable, Equatable {
    /// When it was decided: at the booking's creation, or when it was given to this person or this project.
    public let decidedAt: Date
    /// Hours as planned at the decision; nil where none were stated.
    public let plannedHours: Double?
    public let hoursPerDay: Double?
    public let allocationPercentage: Double?
    public let title: String?
    public let requiredSkills: [String]
    public let labels: [String: String]
    public let startDate: CivilDate
    public let endDate: CivilDate?
    /// Who had the work when it was completed, where the booking was given to another person afterwards; nil otherwise.
    public let employeeId: EmployeeID?
    /// Likewise the project.
    public let projectId: ProjectID?

    public init(
        decidedAt: Date, plannedHours: Double?, hoursPerDay: Double?, allocationPercentage: Double?,
        title: String? = nil, requiredSkills: [String], labels: [String: String], startDate: CivilDate,
        endDate: CivilDate?, employeeId: EmployeeID? = nil, projectId: ProjectID? = nil
    ) {
        self.decidedAt = decidedAt
        self.plannedHours = plannedHours
        self.hoursPerDay = hoursPerDay
        self.allocationPercentage = allocationPercentage
        self.title = title
        self.requiredSkills = requiredSkills
        self.labels = labels
        self.startDate = startDate
        self.endDate = endDate
        self.employeeId = employeeId
        self.projectId = projectId
    }
}

/// A version of a booking that an edit replaced: the person and the hours until some moment. With it a question about the past
/// uses what was known then.
public struct EarlierBooking: Codable, Sendable, Equatable {
    /// The first version holds from the decision on.
    public let validFrom: Date
    public let validUntil: Date
    public let employeeId: EmployeeID
    public let projectId: ProjectID
    public let allocatedHours: Double?
    public let hoursPerDay: Double?
    public let allocationPercentage: Double?
    public let commitment: Commitment
    public let isCancelled: Bool
    public let startDate: CivilDate
    public let endDate: CivilDate?

    public init(
        validFrom: Date, validUntil: Date, employeeId: EmployeeID, projectId: ProjectID, allocatedHours: Double?,
        hoursPerDay: Double?, allocationPercentage: Double?, commitment: Commitment, isCancelled: Bool,
        startDate: CivilDate, endDate: CivilDate?
    ) {
        self.validFrom = validFrom
        self.validUntil = validUntil
        self.employeeId = employeeId
        self.projectId = projectId
        self.allocatedHours = allocatedHours
        self.hoursPerDay = hoursPerDay
        self.allocationPercentage = allocationPercentage
        self.commitment = commitment
        self.isCancelled = isCancelled
        self.startDate = startDate
        self.endDate = endDate
    }
}

/// What a project's record said until some moment: a version that was replaced by an edit.
public struct ProjectVersion: Codable, Sendable, Equatable {
    /// The first version holds before this moment too.
    public let validFrom: Date
    public let validUntil: Date
    /// nil only in feeds made before this field existed.
    public let status: ProjectStatus?
    public let startDate: CivilDate?
    public let estimatedEndDate: CivilDate?
    public let endDate: CivilDate?
    public let completionPercentage: Double?
    /// nil only in feeds made before this field existed.
    public let requiredSkills: [String]?
    public let leastLevels: [String: Int]?

    public init(
        validFrom: Date, validUntil: Date, status: ProjectStatus? = nil, startDate: CivilDate?,
        estimatedEndDate: CivilDate?, endDate: CivilDate?, completionPercentage: Double? = nil,
        requiredSkills: [String]? = nil, leastLevels: [String: Int]? = nil
    ) {
        self.validFrom = validFrom
        self.validUntil = validUntil
        self.status = status
        self.startDate = startDate
        self.estimatedEndDate = estimatedEndDate
        self.endDate = endDate
        self.completionPercentage = completionPercentage
        self.requiredSkills = requiredSkills
        self.leastLevels = leastLevels
    }
}

/// `GET /allocations/{id}/versions`: what a booking said, and for how long.
public struct AllocationVersion: Codable, Sendable, Equatable {
    /// 1 is the booking as first decided.
    public let version: Int
    public let validFrom: Date
    /// nil for the present version.
    public let validUntil: Date?
    public let employeeId: EmployeeID
    public let projectId: ProjectID
    public let allocatedHours: Double?
    public let hoursPerDay: Double?
    public let allocationPercentage: Double?
    public let commitment: Commitment
    public let isCancelled: Bool
    public let title: String?
    public let requiredSkills: [String]
    /// Of skills with a least level; nil when none has one.
    public let leastLevels: [String: Int]?
    public let labels: [String: String]
    public let startDate: CivilDate
    public let endDate: CivilDate?

    public init(
        version: Int, validFrom: Date, validUntil: Date?, employeeId: EmployeeID, projectId: ProjectID,
        allocatedHours: Double?, hoursPerDay: Double?, allocationPercentage: Double?, commitment: Commitment,
        isCancelled: Bool, title: String? = nil, requiredSkills: [String], leastLevels: [String: Int]? = nil,
        labels: [String: String], startDate: CivilDate, endDate: CivilDate?
    ) {
        self.version = version
        self.validFrom = validFrom
        self.validUntil = validUntil
        self.employeeId = employeeId
        self.projectId = projectId
        self.allocatedHours = allocatedHours
        self.hoursPerDay = hoursPerDay
        self.allocationPercentage = allocationPercentage
        self.commitment = commitment
        self.isCancelled = isCancelled
        self.title = title
        self.requiredSkills = requiredSkills
        self.leastLevels = leastLevels
        self.labels = labels
        self.startDate = startDate
        self.endDate = endDate
    }
}
