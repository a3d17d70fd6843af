import Contracts
import Ledger
import Testing

@Suite("Free time")
struct FreeTimeTests {
    /// From Monday, 2 March.
    private func person(_ bookings: [Booking], _ time: WorkingTime = .fullTime) -> PersonDays {
        var person = PersonDays(days("2026-03-02", "2026-03-29"))
        person.reckon(time, bookings)
        return person
    }

    @Test("hours that are free in a window, and the earliest days on which they are")
    func hours() {
        let busy = person([
            Booking("2026-03-02", "2026-03-04", percentage: 100), Booking("2026-03-05", "2026-03-13", percentage: 75),
        ])
        // 2 h each on 5, 6, 9, 10, 11, 12, 13 March, then 8 a day.
        #expect(busy.hasFree(minutes: 14 * 60, in: 0..<14))
        #expect(!busy.hasFree(minutes: 14 * 60 + 1, in: 0..<14))
        #expect(busy.earliest(minutes: 4 * 60) == days("2026-03-05", "2026-03-06"))
        #expect(busy.earliest(minutes: 22 * 60) == days("2026-03-05", "2026-03-16"))
        #expect(busy.earliest(minutes: 1_000 * 60) == nil)
    }

    @Test("a percentage must be free on every working day of employment, and somewhere there must be one")
    func percentage() {
        let busy = person([Booking("2026-03-02", "2026-03-10", percentage: 60)])
        #expect(busy.hasFree(percentage: 40, in: 0..<7))
        #expect(!busy.hasFree(percentage: 50, in: 0..<7))
        #expect(!busy.hasFree(percentage: 40, in: 5..<7))
        #expect(busy.earliest(percentage: 50, days: 7) == days("2026-03-11", "2026-03-17"))
        #expect(busy.earliest(percentage: 50, days: 30) == nil)
        let leaver = person(
            [],
            WorkingTime(
                spells: [EmploymentSpell(from: nil, to: day("2026-03-11"))], contracts: WorkingTime.fullTime.contracts))
        #expect(!leaver.hasFree(percentage: 10, in: 7..<14))
        let held = person(
            [], WorkingTime(spells: [], heldFrom: day("2026-03-11"), contracts: WorkingTime.fullTime.contracts))
        #expect(!held.hasFree(percentage: 10, in: 7..<14))
        #expect(held.isPlannable && held.isEmployed)
    }

    @Test("half of an odd day is free beside the other half")
    func rounding() {
        let odd = WorkingTime(spells: [], contracts: [Contract(from: nil, pattern: WeeklyPattern(weeklyHours: 38.25))])
        #expect(person([Booking("2026-03-02", "2026-03-06", percentage: 50)], odd).hasFree(percentage: 50, in: 0..<5))
    }
}
