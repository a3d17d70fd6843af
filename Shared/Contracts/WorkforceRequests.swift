public import Foundation

// Bodies of POST and PATCH on projects and allocations; those on employees are in Employee.swift. In a PATCH what is left out stays; null
// empties what may be empty and is refused elsewhere.

/// `POST /projects`.
public struct CreateProjectRequest: RequestPayload {
    public let externalId: String
    public let name: String
    /// nil for `planned`.
    public let status: ProjectStatus?
    public let completionPercentage: Double?
    public let startDate: CivilDate?
    public let estimatedEndDate: CivilDate?
    public let endDate: CivilDate?
    public let requiredSkills: [String]?
    /// For some of `requiredSkills`: the least level, 1…5.
    public let leastLevels: [String: Int]?

    public func validate(_ validation: inout Validation) {
        validation.text(externalId, "externalId")
        validation.text(name, "name")
        validation.levels(leastLevels, "leastLevels", of: requiredSkills ?? [])
        validation.range(completionPercentage, 0...100, "completionPercentage")
        validation.order(startDate, estimatedEndDate, "estimatedEndDate", notBefore: "startDate")
        validation.order(startDate, endDate, "endDate", notBefore: "startDate")
        validation.skills(requiredSkills, "requiredSkills")
    }
}

/// `PATCH /projects/{id}`.
public struct UpdateProjectRequest: RequestPayload {
    @NonNull public var externalId: String?
    @NonNull public var name: String?
    @NonNull public var status: ProjectStatus?
    public let completionPercentage: Patch<Double>
    public let startDate: Patch<CivilDate>
    public let estimatedEndDate: Patch<CivilDate>
    public let endDate: Patch<CivilDate>
    @NonNull public var requiredSkills: [String]?
    /// Replaces the least levels; left out beside new `requiredSkills`, those that stay keep theirs.
    @NonNull public var leastLevels: [String: Int]?

    public func validate(_ validation: inout Validation) {
        validation.text(externalId, "externalId")
        validation.text(name, "name")
        validation.levels(leastLevels, "leastLevels", of: requiredSkills)
        validation.range(completionPercentage.newValue, 0...100, "completionPercentage")
        validation.order(startDate.newValue, estimatedEndDate.newValue, "estimatedEndDate", notBefore: "startDate")
        validation.order(startDate.newValue, endDate.newValue, "endDate", notBefore: "startDate")
        validation.skills(requiredSkills, "requiredSkills")
    }
}

/// `POST /allocations`. The effort is stated in one way: `allocatedHours` for all of it, `hoursPerDay`, or
/// `allocationPercentage` of the person's capacity. Stated not at all, the booking takes nothing.
public struct CreateAllocationRequest: RequestPayload {
    public let externalId: String
    public let employeeId: EmployeeID
    public let projectId: ProjectID
    /// 0…100
    public let allocationPercentage: Double?
    /// Hours as planned; kept for ever as `plannedHours`.
    public let allocatedHours: Double?
    /// 0…24
    public let hoursPerDay: Double?
    public let actualHours: Double?
    /// nil for `hard`.
    public let commitment: Commitment?
    /// What the work is, in a few words.
    public let title: String?
    public let requiredSkills: [String]?
    /// For some of `requiredSkills`: the least level, 1…5.
    public let leastLevels: [String: Int]?
    public let labels: [String: String]?
    public let startDate: CivilDate
    public let endDate: CivilDate?
    public let completedAt: Date?
    /// The moment of the decision; nil for now.
    public let createdAt: Date?

    public func validate(_ validation: inout Validation) {
        validation.text(externalId, "externalId")
        validation.range(allocationPercentage, 0...100, "allocationPercentage")
        validation.range(allocatedHours, 0...1_000_000, "allocatedHours")
        validation.range(hoursPerDay, 0...24, "hoursPerDay")
        validation.range(actualHours, 0...1_000_000, "actualHours")
        validation.text(title, "title", maximum: BookingLimits.titleLength)
        validation.skills(requiredSkills, "requiredSkills")
        validation.levels(leastLevels, "leastLevels", of: requiredSkills ?? [])
        validation.labels(labels, "labels")
        validation.bookingDays(startDate, endDate)
        if let completedAt, let createdAt {
            validation.require(completedAt >= createdAt, "completedAt", "must not be before createdAt")
        }
    }
}

/// `PATCH /allocations/{id}`. Another `employeeId` or `projectId` moves the booking; `plannedHours` stays what was first planned.
public struct UpdateAllocationRequest: RequestPayload {
    @NonNull public var externalId: String?
    @NonNull public var employeeId: EmployeeID?
    @NonNull public var projectId: ProjectID?
    public let allocationPercentage: Patch<Double>
    public let allocatedHours: Patch<Double>
    public let hoursPerDay: Patch<Double>
    public let actualHours: Patch<Double>
    @NonNull public var commitment: Commitment?
    @NonNull public var isCancelled: Bool?
    public let title: Patch<String>
    @NonNull public var requiredSkills: [String]?
    /// Replaces the least levels; left out beside new `requiredSkills`, those that stay keep theirs.
    @NonNull public var leastLevels: [String: Int]?
    @NonNull public var labels: [String: String]?
    @NonNull public var startDate: CivilDate?
    public let endDate: Patch<CivilDate>
    public let completedAt: Patch<Date>

    public func validate(_ validation: inout Validation) {
        validation.text(externalId, "externalId")
        validation.range(allocationPercentage.newValue, 0...100, "allocationPercentage")
        validation.range(allocatedHours.newValue, 0...1_000_000, "allocatedHours")
        validation.range(hoursPerDay.newValue, 0...24, "hoursPerDay")
        validation.range(actualHours.newValue, 0...1_000_000, "actualHours")
        validation.text(title.newValue, "title", maximum: BookingLimits.titleLength)
        validation.skills(requiredSkills, "requiredSkills")
        validation.levels(leastLevels, "leastLevels", of: requiredSkills)
        validation.labels(labels, "labels")
        validation.bookingDays(startDate, endDate.newValue)
    }
}

/// What a booking may be at most.
public enum BookingLimits {
    /// Twenty years, of which five or so have a leap day. An open-ended booking has no end date.
    public static let longestDays = 7_305
    public static let titleLength = 500

    /// Whether a booking may have these days.
    public static func allows(_ start: CivilDate, _ end: CivilDate?) -> Bool {
        end.map { $0.daysSinceEpoch - start.daysSinceEpoch < longestDays } ?? true
    }

    /// What is said of one that is longer, after the name of its last day.
    public static let tooLong =
        "must be at most \(longestDays) days (twenty years) from the first day; leave it out for no end"

    /// What is true of hours without an end that would last longer.
    public static let notWorkedOff =
        "are not worked off within \(longestDays) days (twenty years) of the person's capacity at the stated effort"
    /// What is said of such hours, after the name of their field.
    public static let neverEnds = "\(notWorkedOff); state an endDate, fewer hours or a greater effort"
}

extension Validation {
    /// Of a booking, made or asked about, as far as they are known here.
    mutating func bookingDays(_ start: CivilDate?, _ end: CivilDate?) {
        order(start, end, "endDate", notBefore: "startDate")
        require(start.map { BookingLimits.allows($0, end) } ?? true, "endDate", BookingLimits.tooLong)
    }
}
