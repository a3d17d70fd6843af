// Bodies and answers of `/capacity-history`.

/// `POST /capacity-history`: a day of which nothing is recorded yet.
public struct CreateCapacityRequest: RequestPayload {
    public let employeeId: EmployeeID
    public let date: CivilDate
    /// Percent of the day's capacity, 0…10,000.
    public let utilizationRate: Double

    public init(employeeId: EmployeeID, date: CivilDate, utilizationRate: Double) {
        self.employeeId = employeeId
        self.date = date
        self.utilizationRate = utilizationRate
    }

    public func validate(_ validation: inout Validation) { validate(&validation, under: "") }

    func validate(_ validation: inout Validation, under path: String) {
        validation.range(utilizationRate, 0...10_000, path + "utilizationRate")
    }
}

/// `PUT /capacity-history`: records these days, whether something is recorded of them or not; other days stay.
public struct PutCapacityRequest: RequestPayload {
    /// 1…1,000, each day of an employee once.
    public let entries: [CreateCapacityRequest]

    public init(entries: [CreateCapacityRequest]) { self.entries = entries }

    private struct Day: Hashable {
        let employee: EmployeeID
        let date: CivilDate
    }

    public func validate(_ validation: inout Validation) {
        guard validation.count(entries.count, 1...1000, "entries") else { return }
        var days: Set<Day> = []
        for (index, entry) in entries.enumerated() {
            entry.validate(&validation, under: "entries[\(index)].")
            let isNew = days.insert(Day(employee: entry.employeeId, date: entry.date)).inserted
            validation.require(isNew, "entries[\(index)].date", "is a duplicate for this employee")
        }
    }
}

/// What a `PUT /capacity-history` did.
public struct CapacityWritten: Codable, Sendable, Equatable {
    public let inserted: Int
    public let updated: Int
    /// Days already recorded exactly so.
    public let unchanged: Int

    public init(inserted: Int, updated: Int, unchanged: Int) {
        self.inserted = inserted
        self.updated = updated
        self.unchanged = unchanged
    }
}

/// What a `DELETE /capacity-history?employeeId=&from=&to=` did.
public struct CapacityRemoved: Codable, Sendable, Equatable {
    public let deleted: Int

    public init(deleted: Int) { self.deleted = deleted }
}

/// `PUT /capacity-history/{employeeId}/{date}`.
public struct PutCapacityDayRequest: RequestPayload {
    /// Percent of the day's capacity, 0…10,000.
    public let utilizationRate: Double

    public init(utilizationRate: Double) { self.utilizationRate = utilizationRate }

    public func validate(_ validation: inout Validation) {
        validation.range(utilizationRate, 0...10_000, "utilizationRate")
    }
}
