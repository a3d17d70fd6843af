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

    /// The groups of a page are found first, so that a page costs the people in its groups and not everybody.
    private func groupRows(
        _ question: Question, by group: UtilizationGroup, _ periods: [Period], of tenant: TenantID
    ) async throws -> [UtilizationRow] {
        var waiting = try await ReportedGroups(group, question, of: tenant, on: database).after(question.last)[...]
        var rows: [UtilizationRow] = []
        while !waiting.isEmpty, rows.count < question.limit {
            let part = Array(waiting.prefix(question.limit))
            waiting = waiting.dropFirst(part.count)
            // When all groups fit on one page, people need not be filtered by group.
            let isWhole = waiting.isEmpty && question.last == nil && rows.isEmpty
            rows += try await groupRows(question, by: group, part, isWhole: isWhole, periods, of: tenant)
        }
        return Array(rows.prefix(question.limit))
    }

    /// - Parameter isWhole: whether these are all groups that there are.
    private func groupRows(
        _ question: Question, by group: UtilizationGroup, _ page: [ReportedGroup], isWhole: Bool, _ periods: [Period],
        of tenant: TenantID
    ) async throws -> [UtilizationRow] {
        var table = UtilisationTable(periods.isEmpty ? question.window.periods(.total) : periods)
        let numbers = Dictionary(uniqueKeysWithValues: page.enumerated().map { ($1.id.flatMap(UUID.init), $0) })
        // What is of another page's groups.
        let rest = page.count
        func number(_ id: UUID?) -> Int { numbers[id] ?? rest }
        var members = [Bool](repeating: false, count: rest + 1)
        var everybody = question
        everybody.last = nil
        // As many people at a time as there are to a batch.
        everybody.limit = 1_000
        if !isWhole { everybody.people.members = GroupMembers(group, page, until: question.window.last) }
        try await walk(everybody, of: tenant, recording: group != .project, withSkills: group == .skill) {
            person, days in
            guard days.isEmployed || group == .project else { return true }
            switch group {
            case .project:
                table.add(&days, person.bookings) { number($0.project.id.rawValue) }
                return true
            case .skill where person.person.skills.contains { $0.isHeld(on: question.window.last) }:
                let ids = person.person.skills.filter { $0.isHeld(on: question.window.last) }
                    .map(\.skill.rawValue).sorted { $0.uuidString < $1.uuidString }
                table.add(days, dividedAmong: ids.map(number))
                for id in ids { members[number(id)] = true }
                return true
            case .department:
                table.add(days, to: number(person.departmentID?.rawValue))
                members[number(person.departmentID?.rawValue)] = true
            case .skill, .none, .person:
                table.add(days, to: number(nil))
                members[number(nil)] = true
            }
            return true
        }
        return zip(page, table.rows).enumerated().compactMap { index, row in
            let (named, parts) = row
            guard group == .project ? parts.contains(where: { $0.hard > 0 || $0.soft > 0 }) : members[index] else {
                return nil
            }
            return UtilizationRow(
                group == .none ? nil : named, hasCapacity: group != .project, parts,
                periods.isEmpty ? [] : Array(zip(periods, parts)))
        }
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
    var position: String { employee?.externalId ?? group?.position ?? ReportedGroup.lastPosition }
}
