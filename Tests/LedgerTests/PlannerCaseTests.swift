import Contracts
import Ledger
import Testing

/// What planners have tripped over elsewhere, with figures worked out on paper. 2026-03-02 is a Monday.
@Suite("Cases of planners")
struct PlannerCaseTests {
    private static let fullTime = WeeklyPattern(weeklyHours: 40)

    private func person(
        _ contracts: [Contract] = WorkingTime.fullTime.contracts, spells: [EmploymentSpell] = [], leave: [Leave] = []
    ) -> WorkingTime {
        WorkingTime(spells: spells, contracts: contracts, leave: leave)
    }

    private func reckoned(_ time: WorkingTime, _ bookings: [Booking], _ window: DayWindow) -> PersonDays {
        var days = PersonDays(window)
        days.reckon(time, bookings)
        return days
    }

    /// Hours of each period of the window, and their sum over single days.
    private func hours(
        _ time: WorkingTime, _ bookings: [Booking], _ first: String, _ last: String, _ length: PeriodLength = .week,
        _ figure: (Utilisation) -> Int
    ) -> [Double] {
        let window = days(first, last)
        let whole = reckoned(time, bookings, window)
        let byDay = window.periods(.day).map { figure(reckoned(time, bookings, $0.days).utilisation(0..<1)) }
        return window.periods(length).map { period in
            let minutes = figure(whole.utilisation(period.places))
            #expect(period.places.reduce(0) { $0 + byDay[$1] } == minutes)
            return Minutes.hours(minutes)
        }
    }

    @Test("half a day of leave takes half a day: a share shrinks with it, hours a day do not")
    func halfDayLeave() {
        let time = person(leave: [Leave(days("2026-03-04", "2026-03-04"), off: .minutes(240), isApproved: true)])
        let share = [Booking("2026-03-02", "2026-03-06", percentage: 100)]
        let daily = [Booking("2026-03-02", "2026-03-06", hoursPerDay: 8)]
        let hoursInAll = [Booking("2026-03-02", "2026-03-06", hours: 36)]

        #expect(hours(time, share, "2026-03-02", "2026-03-08") { $0.capacity } == [36])
        #expect(hours(time, share, "2026-03-02", "2026-03-08") { $0.hard } == [36])
        #expect(hours(time, daily, "2026-03-02", "2026-03-08") { $0.hard } == [40])
        #expect(hours(time, hoursInAll, "2026-03-02", "2026-03-08", .day) { $0.hard } == [8, 8, 4, 8, 8, 0, 0])
        var week = reckoned(time, daily, days("2026-03-02", "2026-03-08"))
        let over = week.overCapacity(daily)
        #expect(over.map(\.over) == [240])
        #expect(over.map(\.from) == [day("2026-03-04")] && over.map(\.to) == [day("2026-03-04")])
        #expect(!reckoned(time, share, week.window).isOver)
    }

    @Test("leave over a holiday takes the day once, and two halves of a day take all of it")
    func leaveOverHoliday() {
        let calendar = HolidayCalendar([Holiday(day("2026-03-03")), Holiday(day("2026-03-05"), off: .minutes(240))])
        let contracts = [Contract(from: nil, pattern: Self.fullTime, calendar: calendar)]
        let week = person(contracts, leave: [Leave(days("2026-03-02", "2026-03-03"), isApproved: true)])
        let halves = person(
            contracts, leave: [Leave(days("2026-03-05", "2026-03-05"), off: .minutes(300), isApproved: true)])

        #expect(hours(week, [], "2026-03-02", "2026-03-08", .day) { $0.capacity } == [0, 0, 8, 4, 8, 0, 0])
        #expect(hours(halves, [], "2026-03-02", "2026-03-08", .day) { $0.capacity } == [8, 0, 8, 0, 8, 0, 0])
    }

    @Test("a contract that is halved within a booking halves the days' share of its hours, not the hours")
    func contractWithinBooking() {
        let time = person([
            Contract(from: nil, pattern: Self.fullTime),
            Contract(from: day("2026-03-09"), pattern: WeeklyPattern(weeklyHours: 20)),
        ])
        let all = [Booking("2026-03-02", "2026-03-13", hours: 60)]
        #expect(hours(time, all, "2026-03-02", "2026-03-15") { $0.hard } == [40, 20])
        #expect(hours(time, all, "2026-03-02", "2026-03-15") { $0.free } == [0, 0])
        let daily = [Booking("2026-03-02", "2026-03-13", hoursPerDay: 5)]
        #expect(hours(time, daily, "2026-03-02", "2026-03-15") { $0.hard } == [25, 25])
        #expect(hours(time, daily, "2026-03-02", "2026-03-15") { $0.free } == [15, 0])
    }

    @Test("a leaver's share ends with the last day, and what is left of it is orphaned")
    func leaver() {
        let time = person(spells: [EmploymentSpell(from: nil, to: day("2026-03-04"))])
        let booking = Booking("2026-03-02", "2026-03-13", percentage: 50)
        let account = time.account(of: booking)
        #expect(Minutes.hours(account.loaded) == 12 && Minutes.hours(account.orphaned) == 28)
        #expect(hours(time, [booking], "2026-03-02", "2026-03-15") { $0.hard } == [12, 0])
        #expect(hours(time, [booking], "2026-03-02", "2026-03-15") { $0.capacity } == [24, 0])
        #expect(Orphan(booking, time, in: days("2026-03-09", "2026-03-09"))?.minutes == 240)
    }

    @Test("a booking across a gap in employment is worked before and after it, and orphaned within")
    func gap() {
        let time = person(spells: [
            EmploymentSpell(from: nil, to: day("2026-03-06")), EmploymentSpell(from: day("2026-03-16"), to: nil),
        ])
        let booking = Booking("2026-03-02", "2026-03-20", hours: 60)
        #expect(hours(time, [booking], "2026-03-02", "2026-03-22") { $0.hard } == [20, 0, 20])
        #expect(Orphan(booking, time, in: days("2026-03-01", "2026-03-31"))?.minutes == 20 * 60)
        let found = conflicts(of: booking, person: Person(id: EmployeeID(), time: time), others: [])
        #expect(found.map(\.kind) == [.outsideEmployment])
        #expect(found.map(\.from) == [day("2026-03-07")] && found.map(\.to) == [day("2026-03-15")])
    }

    @Test("without working hours there is no percentage; hours stand on the first day, a share of nothing is nothing")
    func zeroHours() {
        let time = person([Contract(from: nil, pattern: WeeklyPattern(weeklyHours: 0))])
        let stated = [Booking("2026-03-02", "2026-03-06", hours: 10)]
        #expect(hours(time, stated, "2026-03-02", "2026-03-08", .day) { $0.hard } == [10, 0, 0, 0, 0, 0, 0])
        var week = reckoned(time, stated, days("2026-03-02", "2026-03-08"))
        #expect(week.utilisation(0..<7).percent == nil && week.peakPercent == nil)
        #expect(week.overCapacity(stated).map(\.over) == [600])
        #expect(week.overCapacity(stated).map(\.percent) == [nil])
        for nothing in [
            Booking("2026-03-02", "2026-03-06", percentage: 100), Booking("2026-03-02", "2026-03-06", hoursPerDay: 4),
        ] {
            #expect(hours(time, [nothing], "2026-03-02", "2026-03-08") { $0.hard } == [0])
        }
        #expect(
            hours(.fullTime, [Booking("2026-03-02", "2026-03-06", hours: 0)], "2026-03-02", "2026-03-08") { $0.hard }
                == [0])
    }

    @Test("soft stands beside hard: free time is after hard, and less after both; together they are not over")
    func softAndHard() {
        let both = [
            Booking("2026-03-02", "2026-03-06", percentage: 60),
            Booking("2026-03-02", "2026-03-06", hours: 24, commitment: .soft),
        ]
        let week = reckoned(.fullTime, both, days("2026-03-02", "2026-03-08"))
        #expect(week.free(0..<7) == 16 * 60 && week.free(0..<7, afterSoft: true) == 0)
        #expect(!week.isOver)
    }

    @Test("a project's status decides what its bookings count as, also of those that are cancelled or done")
    func projects() {
        func load(_ status: ProjectStatus, isCancelled: Bool = false, completed: String? = nil) -> [Int] {
            let project = ProjectTerms(id: ProjectID(), status: status, first: nil, last: nil)
            let booking = Booking(
                "2026-03-02", "2026-03-06", percentage: 50, project: project, isCancelled: isCancelled,
                completed: completed)
            let sum = reckoned(.fullTime, [booking], days("2026-03-01", "2026-03-31")).utilisation(0..<31)
            return [sum.hard / 60, sum.soft / 60]
        }
        #expect(load(.inProgress) == [20, 0])
        #expect(load(.planned) == [20, 0])
        // Nobody has said that the booking is done.
        #expect(load(.completed) == [20, 0])
        #expect(load(.onHold) == [0, 20])
        #expect(load(.cancelled) == [0, 0])
        #expect(load(.inProgress, isCancelled: true) == [0, 0])
        #expect(load(.onHold, isCancelled: true) == [0, 0])
        #expect(load(.completed, completed: "2026-03-03") == [8, 0])
        #expect(load(.onHold, completed: "2026-03-03") == [0, 8])
    }

    @Test("work that is done late loads no more than its days, done early no more than up to that day")
    func completion() {
        func account(_ completed: String) -> [Double] {
            let found = WorkingTime.fullTime.account(
                of: Booking("2026-03-02", "2026-03-06", hours: 20, completed: completed))
            return [found.loaded, found.released, found.orphaned].map(Minutes.hours)
        }
        #expect(account("2026-03-20") == [20, 0, 0])
        #expect(account("2026-03-06") == [20, 0, 0])
        #expect(account("2026-03-03") == [8, 12, 0])
        // On a Saturday before, on the first day, and before it.
        #expect(account("2026-02-28") == [0, 20, 0])
        #expect(account("2026-03-02") == [4, 16, 0])
    }

    @Test("several bookings a day add up, and the hour too much is that of each day")
    func severalADay() {
        let three = (0..<3).map { _ in Booking("2026-03-02", "2026-03-06", hoursPerDay: 3) }
        var month = reckoned(.fullTime, three, days("2026-03-01", "2026-03-31"))
        #expect(month.utilisation(0..<31).hard == 45 * 60)
        #expect(month.overCapacity(three).map(\.over) == [300])
        #expect(month.peakPercent == 112.5)
        #expect(month.free(0..<31) == (22 - 5) * 480)
    }

    @Test("a person who moves to another country has the holidays of the place where the contract holds")
    func twoCalendars() {
        let berlin = HolidayCalendar([Holiday(day("2026-03-09")), Holiday(day("2026-03-17"))])
        let vienna = HolidayCalendar([Holiday(day("2026-03-10")), Holiday(day("2026-03-19"))])
        let time = person([
            Contract(from: nil, pattern: Self.fullTime, calendar: berlin),
            Contract(from: day("2026-03-16"), pattern: Self.fullTime, calendar: vienna),
        ])
        #expect(
            hours(time, [], "2026-03-09", "2026-03-22", .day) { $0.capacity }
                == [0, 8, 8, 8, 8, 0, 0, 8, 8, 8, 0, 8, 0, 0])
        let booking = [Booking("2026-03-09", "2026-03-20", hours: 32)]
        #expect(hours(time, booking, "2026-03-09", "2026-03-22") { $0.hard } == [16, 16])
    }

    @Test("a part-timer of four days is over on these, and has nothing to do on the fifth")
    func fourDays() {
        let time = person([Contract(from: nil, pattern: WeeklyPattern(mondayToSunday: [450, 450, 450, 450]))])
        let daily = [Booking("2026-03-02", "2026-03-08", hoursPerDay: 8)]
        var week = reckoned(time, daily, days("2026-03-02", "2026-03-08"))
        #expect(week.hard == [480, 480, 480, 480, 0, 0, 0])
        #expect(week.overCapacity(daily).map(\.over) == [120])
    }

    @Test("the days on which clocks change are days like others")
    func clocks() {
        // 2026-03-29 and 2026-10-25 are the Sundays.
        for (first, last) in [("2026-03-23", "2026-04-05"), ("2026-10-19", "2026-11-01")] {
            let booking = [Booking(first, last, hours: 40)]
            #expect(hours(.fullTime, booking, first, last) { $0.capacity } == [40, 40])
            #expect(hours(.fullTime, booking, first, last) { $0.hard } == [20, 20])
        }
    }

    @Test("a window of one day, and one that reaches far beyond the employment, say the same of the days within")
    func windows() {
        let time = person(spells: [EmploymentSpell(from: day("2026-03-03"), to: day("2026-03-04"))])
        let booking = [Booking("2026-03-02", "2026-03-06", hours: 40)]
        #expect(hours(time, booking, "2026-03-03", "2026-03-03") { $0.hard } == [8])
        #expect(hours(time, booking, "2026-01-01", "2026-12-31", .total) { $0.hard } == [16])
        #expect(hours(time, booking, "2026-01-01", "2026-12-31", .total) { $0.capacity } == [16])
        #expect(hours(time, booking, "2026-06-01", "2026-06-01") { $0.capacity } == [0])
    }
}
