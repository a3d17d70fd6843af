import Contracts
import Ledger
import Postgres
import ServiceStorage

extension DerivedEffort {
    /// What the efforts of bookings mean in the ways in which they are not stated, by booking.
    static func all(
        of allocations: [Allocation], on connection: PostgresConnection
    ) async throws -> [AllocationID: DerivedEffort] {
        guard !allocations.isEmpty else { return [:] }
        var reader = LedgerReader(connection)
        let ids = Array(Set(allocations.map(\.employeeId)))
        let people = try await reader.people(of: ids, .init())
        let times = Dictionary(uniqueKeysWithValues: people.map { ($0.person.id, $0.time) })
        return Dictionary(
            uniqueKeysWithValues: allocations.compactMap { allocation in
                times[allocation.employeeId].map { (allocation.id, DerivedEffort(allocation, $0)) }
            })
    }

    /// The derived effort when the person was deleted meanwhile.
    static let unknown = DerivedEffort(allocatedHours: nil, hoursPerDay: nil, allocationPercentage: nil, endDate: nil)

    private init(_ allocation: Allocation, _ time: WorkingTime) {
        // The project and the outcome make no other effort.
        let booking = Booking(
            id: allocation.id, project: ProjectTerms(id: allocation.projectId, status: .planned, first: nil, last: nil),
            first: allocation.startDate, last: allocation.endDate,
            effort: Effort(
                hours: allocation.allocatedHours, hoursPerDay: allocation.hoursPerDay,
                percentage: allocation.allocationPercentage))
        let last = time.extent(of: booking).last
        let account = time.account(of: booking)
        let (isHours, isPerDay, isShare, isNothing) =
            switch booking.effort.way {
            case .minutes: (true, false, false, false)
            case .minutesPerDay: (false, true, false, false)
            case .percentage: (false, false, true, false)
            case .nothing: (false, false, false, true)
            }
        // What goes on without an end has no sum.
        let hasSum = last != nil && !isHours && !isNothing
        self.init(
            allocatedHours: hasSum ? Minutes.hours(account.total) : nil,
            hoursPerDay: isPerDay || isNothing ? nil : account.minutesPerDay.map { ($0 / 60).toHundredths },
            allocationPercentage: isShare || isNothing ? nil : account.percentage?.toHundredths,
            endDate: allocation.endDate == nil ? last : nil)
    }
}

extension Double {
    /// Derived figures are shown to two decimals.
    fileprivate var toHundredths: Double { (self * 100).rounded() / 100 }
}
