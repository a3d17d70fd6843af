import Contracts
import Foundation
import Ledger
import Postgres
import ServiceStorage

extension Reports {
    /// Rows by person, or by group with all people in them.
    func utilization(
        _ question: Question, by group: UtilizationGroup, _ period: ReportPeriod, of tenant: TenantID
    ) async throws -> [UtilizationRow] {
        let periods = period == .total ? [] : question.window.periods(PeriodLength(period))
        if group == .person {
            return try await rows(question, of: tenant, recording: true) { person, days in
                guard days.isEmployed else { return nil }
                return UtilizationRow(
                    person.employee, days.utilisation(0..<days.window.count),
                    periods.map { ($0, days.utilisation($0.places)) })
            }
        }
        return try await groupRows(question, by: group, periods, of: tenant)
    }

    /// Everybody is reckoned for each page: groups are few.
    private func groupRows(
        _ question: Question, by group: UtilizationGroup, _ periods: [Period], of tenant: TenantID
    ) async throws -> [UtilizationRow] {
        var table = UtilisationTable(periods.isEmpty ? question.window.periods(.total) : periods)
        var groups = GroupNumbers()
        var everybody = question
        everybody.last = nil
        try await walk(everybody, of: tenant, recording: group != .project, withSkills: group == .skill) {
            person, days in
            guard days.isEmployed || group == .project else { return true }
            switch group {
            case .department: table.add(days, to: groups.number(person.departmentID?.rawValue))
            case .project:
                table.add(&days, person.bookings) { groups.number($0.project.id.rawValue) }
            case .skill where !person.person.skills.isEmpty:
                let ids = person.person.skills.map(\.skill.rawValue).sorted { $0.uuidString < $1.uuidString }
                table.add(days, dividedAmong: ids.map { groups.number($0) })
            case .skill, .none, .person: table.add(days, to: groups.number(nil))
            }
            return true
        }
        let names = try await names(of: groups.ids.compactMap { $0 }, group, tenant)
        let rows = zip(groups.ids, table.rows).filter {
            group != .project || $1.contains { $0.hard > 0 || $0.soft > 0 }
        }
        .map { id, parts in
            UtilizationRow(
                group == .none
                    ? nil : ReportedGroup(id: id.map { "\($0)".lowercased() }, name: id.flatMap { names[$0] }),
                hasCapacity: group != .project, parts,
                periods.isEmpty ? [] : Array(zip(periods, parts)))
        }
        return Array(
            rows.filter { row in question.last.map { row.position > $0 } ?? true }
                .sorted { $0.position < $1.position }.prefix(question.limit))
    }

    private func names(
        of ids: [UUID], _ group: UtilizationGroup, _ tenant: TenantID
    ) async throws -> [UUID: String] {
        let query: SQL? =
            switch group {
            case .department: "SELECT id, name FROM departments WHERE id = ANY(\(ids))"
            case .project: "SELECT id, name FROM projects WHERE id = ANY(\(ids))"
            case .skill: "SELECT id, name FROM skills WHERE id = ANY(\(ids))"
            case .person, .none: nil
            }
        guard let query, !ids.isEmpty else { return [:] }
        return try await database.withTenant(tenant, readOnly: true) { connection in
            Dictionary(
                uniqueKeysWithValues: try await connection.query(query).map { try $0.decode(UUID.self, String.self) })
        }
    }
}

/// Numbers for the groups of a table, in the order in which they turn up.
private struct GroupNumbers {
    private(set) var ids: [UUID?] = []
    private var numbers: [UUID?: Int] = [:]

    mutating func number(_ id: UUID?) -> Int {
        if let number = numbers[id] { return number }
        ids.append(id)
        numbers[id] = ids.count - 1
        return ids.count - 1
    }
}

extension PeriodLength {
    init(_ period: ReportPeriod) {
        switch period {
        case .day: self = .day
        case .week: self = .week
        case .month: self = .month
        case .total: self = .total
        }
    }
}

extension UtilizationFigures {
    /// - Parameter hasCapacity: false for what has none, so that nothing is divided by a capacity that is not there.
    init(_ sum: Utilisation, hasCapacity: Bool = true) {
        self.init(
            capacityHours: hasCapacity ? reportedHours(sum.capacity) : nil, hardHours: reportedHours(sum.hard),
            softHours: reportedHours(sum.soft), actualHours: sum.recordedDays > 0 ? reportedHours(sum.recorded) : nil,
            percent: hasCapacity ? sum.percent?.tidy : nil)
    }
}

extension UtilizationRow {
    init(_ employee: ReportedEmployee, _ sum: Utilisation, _ periods: [(Period, Utilisation)]) {
        self.init(
            employee: employee, group: nil, figures: UtilizationFigures(sum), recordedDays: sum.recordedDays,
            recordedPercent: sum.recordedPercent?.tidy, periods: Self.parts(periods, hasCapacity: true))
    }

    init(_ group: ReportedGroup?, hasCapacity: Bool, _ parts: [Utilisation], _ periods: [(Period, Utilisation)]) {
        let sum = parts.reduce(into: Utilisation()) { $0 += $1 }
        self.init(
            employee: nil, group: group, figures: UtilizationFigures(sum, hasCapacity: hasCapacity),
            recordedDays: sum.recordedDays, recordedPercent: sum.recordedPercent?.tidy,
            periods: Self.parts(periods, hasCapacity: hasCapacity))
    }

    private static func parts(_ periods: [(Period, Utilisation)], hasCapacity: Bool) -> [UtilizationPart]? {
        guard !periods.isEmpty else { return nil }
        return periods.map { period, sum in
            UtilizationPart(
                from: period.days.first, to: period.days.last, UtilizationFigures(sum, hasCapacity: hasCapacity))
        }
    }

    /// Where the row stands in its report.
    var position: String {
        if let employee { return employee.externalId }
        // Those without a group come last.
        return group?.id.map { (group?.name ?? "") + "\u{1}" + $0 } ?? "\u{10FFFF}"
    }
}
