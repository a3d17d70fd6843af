import Contracts

/// What an entry of the audit log says of many days at once: `{"<employee's id>": {"2026-01-31": 80}}` under `before` and `after`, each with the
/// first ``most`` days; how many more there were is `omitted`.
enum AuditedDays {
    /// As many as one `PUT /capacity-history` takes: only the deletion of a longer span is cut short.
    static let most = 1000

    static func details(before: [CapacityEntry], after: [CapacityEntry]? = nil) -> [String: JSONValue] {
        var details: [String: JSONValue] = ["before": values(before)]
        if let after { details["after"] = values(after) }
        let omitted = max(before.count, after?.count ?? 0) - most
        if omitted > 0 { details["omitted"] = .integer(omitted) }
        return details
    }

    private static func values(_ entries: [CapacityEntry]) -> JSONValue {
        var people: [String: [String: JSONValue]] = [:]
        let sorted = entries.sorted { ($0.date, $0.employeeId.description) < ($1.date, $1.employeeId.description) }
        for entry in sorted.prefix(most) {
            people[entry.employeeId.description, default: [:]][entry.date.description] = .number(entry.utilizationRate)
        }
        return .object(people.mapValues(JSONValue.object))
    }
}

extension [CapacityEntry] {
    /// Those whose day is among the others, too.
    func ofSameDays(as others: [CapacityEntry]) -> [CapacityEntry] {
        let days = Set(others.map { CapacityHistory.Day(employee: $0.employeeId, date: $0.date).name })
        return filter { days.contains(CapacityHistory.Day(employee: $0.employeeId, date: $0.date).name) }
    }
}
