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

    /// Whoever has more than their capacity on some day.
    func overAllocations(_ question: Question, of tenant: TenantID) async throws -> [OverAllocationRow] {
        let found = try await rows(question, of: tenant) { person, days in
            days.isOver ? (person.employee, days.peakPercent, days.overCapacity(person.bookings)) : nil
        }
        let externalIDs = try await externalIDs(of: found.flatMap { $2.flatMap(\.bookings) }, tenant)
        return found.map { employee, peak, periods in
            OverAllocationRow(
                employee: employee, peakPercent: peak?.tidy,
                overHours: reportedHours(periods.reduce(0) { $0 + $1.over }),
                periods: periods.map { period in
                    OverAllocationPeriod(
                        from: period.from, to: period.to, percent: period.percent?.tidy,
                        overHours: reportedHours(period.over),
                        allocations: period.bookings.map { externalIDs[$0] ?? $0.description },
                        bookings: period.bookings)
                })
        }
    }

    /// Whoever has bookings on days outside their employment.
    func orphans(_ question: Question, of tenant: TenantID) async throws -> [OrphanRow] {
        let found = try await rows(question, of: tenant) { person, _ in
            let orphans = person.bookings.compactMap { Orphan($0, person.time, in: question.window) }
            return orphans.isEmpty ? nil : (person.employee, orphans)
        }
        let externalIDs = try await externalIDs(of: found.flatMap { $1.map(\.booking.id) }, tenant)
        return found.map { employee, orphans in
            OrphanRow(
                employee: employee, orphanedHours: reportedHours(orphans.reduce(0) { $0 + $1.minutes }),
                bookings: orphans.map { orphan in
                    OrphanedBooking(
                        id: orphan.booking.id,
                        externalId: externalIDs[orphan.booking.id] ?? orphan.booking.id.description,
                        projectId: orphan.booking.project.id, commitment: orphan.booking.standing ?? .hard,
                        from: orphan.days.first, to: orphan.days.last, orphanedHours: reportedHours(orphan.minutes))
                })
        }
    }

    private func externalIDs(of ids: [AllocationID], _ tenant: TenantID) async throws -> [AllocationID: String] {
        guard !ids.isEmpty else { return [:] }
        return try await database.withTenant(tenant, readOnly: true) { connection in
            let rows = try await connection.query(
                "SELECT id, external_id FROM resource_allocations WHERE id = ANY(\(Array(Set(ids))))")
            return Dictionary(uniqueKeysWithValues: try rows.map { try $0.decode(AllocationID.self, String.self) })
        }
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
