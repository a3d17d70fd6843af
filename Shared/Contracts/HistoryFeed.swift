public import Foundation

/// One line of `GET /internal/v1/tenants/{id}/history?since=WATERMARK` (NDJSON), the way a tenant's history reaches the
/// learning services.
///
/// A feed is all rows changed since the watermark (all rows when none is given), facts before the allocations that refer
/// to them, then exactly one `end`. Rows may come again on the next call, so applying one twice must do no harm. A feed
/// without its `end` was cut short and must not be used.
public enum HistoryLine: WireLine, Equatable {
    case employee(HistoryEmployee)
    case project(HistoryProject)
    case allocation(Allocation)
    case capacity(CapacityEntry)
    case removed(RemovedRow)
    case end(HistoryEnd)
}

/// An employee as the learning services need one.
public struct HistoryEmployee: Codable, Sendable, Equatable {
    public let id: EmployeeID
    public let externalId: String
    public let name: String
    public let weeklyCapacityHours: Double
    public let isActive: Bool
    public let hiredOn: CivilDate?
    public let leftOn: CivilDate?
    public let skills: [EmployeeSkill]

    public init(
        id: EmployeeID, externalId: String, name: String, weeklyCapacityHours: Double, isActive: Bool,
        hiredOn: CivilDate?, leftOn: CivilDate?, skills: [EmployeeSkill]
    ) {
        self.id = id
        self.externalId = externalId
        self.name = name
        self.weeklyCapacityHours = weeklyCapacityHours
        self.isActive = isActive
        self.hiredOn = hiredOn
        self.leftOn = leftOn
        self.skills = skills
    }
}

public typealias HistoryProject = Project

/// A row that is gone.
public struct RemovedRow: Codable, Sendable, Equatable {
    /// `employee`, `project`, `allocation` or `capacity`.
    public let kind: String
    /// The row's id; for capacity the employee's.
    public let id: UUID
    /// Only for capacity.
    public let date: CivilDate?

    public init(kind: String, id: UUID, date: CivilDate? = nil) {
        self.kind = kind
        self.id = id
        self.date = date
    }
}

public struct HistoryEnd: Codable, Sendable, Equatable {
    /// Opaque; pass it as `since` next time.
    public let watermark: String
    /// Lines before this one.
    public let lines: Int

    public init(watermark: String, lines: Int) {
        self.watermark = watermark
        self.lines = lines
    }
}
