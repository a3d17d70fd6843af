import Contracts
import Ledger
import Postgres
import ServiceStorage

extension Reports {
    /// Of those with whom one may plan on some day of the window.
    func availability(
        _ question: Question, _ period: ReportPeriod, of tenant: TenantID
    ) async throws -> [AvailabilityRow] {
        let periods = question.window.periods(PeriodLength(period))
        return try await rows(question, of: tenant) { person, days in
            days.isPlannable
                ? AvailabilityRow(person.employee, days, period == .total ? nil : days.parts(periods)) : nil
        }
    }

    /// People whose bookings exceed their capacity on some day.
    func overAllocations(_ question: Question, of tenant: TenantID) async throws -> [OverAllocationRow] {
        try await rows(question, of: tenant, withExternalIDs: true) { person, days in
            guard days.isOver else { return nil }
            let periods = days.overCapacity(person.bookings)
            let names = person.names(of: Set(periods.flatMap(\.bookings)))
            return OverAllocationRow(
                employee: person.employee, peakPercent: days.peakPercent?.tidy,
                overHours: reportedHours(periods.reduce(0) { $0 + $1.over }),
                periods: periods.map { period in
                    OverAllocationPeriod(
                        from: period.from, to: period.to, percent: period.percent?.tidy,
                        overHours: reportedHours(period.over),
                        allocations: period.bookings.map { names[$0] ?? $0.description }, bookings: period.bookings)
                })
        }
    }

    /// People with bookings on days outside their employment.
    func orphans(_ question: Question, of tenant: TenantID) async throws -> [OrphanRow] {
        try await rows(question, of: tenant, withExternalIDs: true) { person, _ in
            let orphans = person.bookings.compactMap { Orphan($0, person.time, in: question.window) }
            guard !orphans.isEmpty else { return nil }
            let names = person.names(of: Set(orphans.map(\.booking.id)))
            return OrphanRow(
                employee: person.employee, orphanedHours: reportedHours(orphans.reduce(0) { $0 + $1.minutes }),
                bookings: orphans.map { orphan in
                    OrphanedBooking(
                        id: orphan.booking.id, externalId: names[orphan.booking.id] ?? orphan.booking.id.description,
                        projectId: orphan.booking.project.id, commitment: orphan.booking.standing ?? .hard,
                        from: orphan.days.first, to: orphan.days.last, orphanedHours: reportedHours(orphan.minutes))
                })
        }
    }
}

extension PlannedPerson {
    /// External ids of some of the person's bookings.
    fileprivate func names(of ids: Set<AllocationID>) -> [AllocationID: String] {
        var names: [AllocationID: String] = [:]
        for (booking, name) in zip(bookings, externalIDs) where ids.contains(booking.id) { names[booking.id] = name }
        return names
    }
}

extension PersonDays {
    /// Free time by period.
    func parts(_ periods: [Period]) -> [AvailabilityPart] {
        periods.map { period in
            AvailabilityPart(
                from: period.days.first, to: period.days.last,
                capacityHours: reportedHours(period.places.reduce(0) { $0 + capacity[$1] }),
                freeHours: reportedHours(free(period.places)),
                freeHoursAfterSoft: reportedHours(free(period.places, afterSoft: true)))
        }
    }
}

extension AvailabilityRow {
    init(_ employee: ReportedEmployee, _ days: PersonDays, _ periods: [AvailabilityPart]?) {
        let all = 0..<days.window.count
        let sum = days.utilisation(all)
        self.init(
            employee: employee, capacityHours: reportedHours(sum.capacity), committedHours: reportedHours(sum.hard),
            softHours: reportedHours(sum.soft), freeHours: reportedHours(sum.free),
            freeHoursAfterSoft: reportedHours(days.free(all, afterSoft: true)),
            freePercent: Utilisation.percent(sum.free, of: sum.capacity)?.tidy,
            requestedLeaveHours: reportedHours(days.requestedLeave.reduce(0, +)), periods: periods)
    }
}
