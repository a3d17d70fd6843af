import Contracts
import Ledger
import Testing

@testable import TenantAdmin

@Suite struct BookingsByDayTests {
    @Test("the bookings that may share a day with one are those that a look at all of them finds")
    func meeting() {
        var random = SystemRandomNumberGenerator()
        for _ in 0..<50 {
            let bookings = (0..<60).map { _ in
                let first = CivilDate(daysSinceEpoch: 20_000 + Int.random(in: 0..<200, using: &random))
                let length = Int.random(in: 0..<30, using: &random)
                return Booking(
                    id: AllocationID(),
                    project: ProjectTerms(id: ProjectID(), status: .inProgress, first: nil, last: nil), first: first,
                    last: length == 29 ? nil : first.adding(days: length), effort: Effort(minutes: 60))
            }
            let days = BookingsByDay(bookings)
            for booking in bookings {
                let expected = bookings.filter {
                    $0.first <= (booking.last ?? PlanningWatch.lastDay)
                        && booking.first <= ($0.last ?? PlanningWatch.lastDay)
                }
                #expect(Set(days.meeting(booking).map(\.id)) == Set(expected.map(\.id)))
                #expect(days[booking.id] == booking)
            }
            #expect(days[AllocationID()] == nil)
        }
    }
}
