import Contracts
import Ledger
import Testing

/// Figures worked out on paper, as a spreadsheet would: 2026-03-02 is a Monday.
@Suite("Figures worked out by hand")
struct WorkedFiguresTests {
    private static let p1 = ProjectTerms.running()
    private static let p2 = ProjectTerms.running()
    private static let onHold = ProjectTerms(id: ProjectID(), status: .onHold, first: nil, last: nil)
    private static let cancelled = ProjectTerms(id: ProjectID(), status: .cancelled, first: nil, last: nil)

    private static let berlin = HolidayCalendar([Holiday(day("2026-03-09"))])
    private static let vienna = HolidayCalendar([Holiday(day("2026-03-19"), off: .minutes(240))])

    /// Anna: 40 h, away on 16 and 17 March; she asks for the 23rd.
    private static let anna = WorkingTime(
        spells: [EmploymentSpell(from: day("2020-01-01"), to: nil)],
        contracts: [Contract(from: day("2020-01-01"), pattern: WeeklyPattern(weeklyHours: 40), calendar: berlin)],
        leave: [
            Leave(days("2026-03-16", "2026-03-17"), isApproved: true),
            Leave(days("2026-03-23", "2026-03-23"), isApproved: false),
        ])
    /// Ben: three days of 8 h, from 16 March four.
    private static let ben = WorkingTime(
        spells: [EmploymentSpell(from: nil, to: nil)],
        contracts: [
            Contract(from: nil, pattern: WeeklyPattern(mondayToSunday: [480, 480, 480]), calendar: vienna),
            Contract(
                from: day("2026-03-16"), pattern: WeeklyPattern(mondayToSunday: [480, 480, 480, 480]), calendar: vienna),
        ])
    /// Cleo: 40 h, her last day is Wednesday, 18 March.
    private static let cleo = WorkingTime(
        spells: [EmploymentSpell(from: day("2024-05-01"), to: day("2026-03-18"))],
        contracts: [Contract(from: day("2024-05-01"), pattern: WeeklyPattern(weeklyHours: 40))])
    /// Dora: 20 h, begins on Wednesday, 11 March.
    private static let dora = WorkingTime(
        spells: [EmploymentSpell(from: day("2026-03-11"), to: nil)],
        contracts: [Contract(from: day("2026-03-11"), pattern: WeeklyPattern(weeklyHours: 20), calendar: berlin)])

    private static let company: [(time: WorkingTime, bookings: [Booking])] = [
        (
            anna,
            [
                Booking("2026-03-02", "2026-03-29", percentage: 50, project: p1),
                Booking("2026-03-09", "2026-03-27", hours: 48, project: p2, commitment: .soft),
                Booking("2026-03-02", "2026-03-27", percentage: 100, project: cancelled),
            ]
        ),
        (
            ben,
            [
                Booking("2026-03-02", "2026-03-11", hoursPerDay: 6, project: p1),
                Booking("2026-03-16", "2026-03-26", hours: 60, project: p2),
                Booking("2026-03-23", "2026-03-26", hours: 16, project: p1, completed: "2026-03-24"),
            ]
        ),
        (cleo, [Booking("2026-03-02", "2026-03-31", hours: 176, project: p1)]),
        (dora, [Booking("2026-03-11", "2026-03-31", percentage: 100, project: onHold)]),
    ]
    private static let march = days("2026-03-02", "2026-03-29")

    private func table(_ add: (inout UtilisationTable, inout PersonDays, [Booking]) -> Void) -> [[Utilisation]] {
        var table = UtilisationTable(Self.march.periods(.week))
        var days = PersonDays(Self.march)
        for (time, bookings) in Self.company {
            days.reckon(time, bookings)
            add(&table, &days, bookings)
        }
        return table.rows
    }

    private func hours(_ minutes: [Int]) -> [Double] { minutes.map(Minutes.hours) }

    @Test("utilisation by week of a company with part-timers, leave, holidays, soft bookings and a leaver")
    func byWeek() throws {
        let weeks = table { table, days, _ in table.add(days, to: 0) }[0]

        // Anna 40, 32, 24, 40; Ben 24, 24, 28, 32; Cleo 40, 40, 24, 0; Dora 0, 12, 20, 20.
        #expect(hours(weeks.map(\.capacity)) == [104, 108, 96, 92])
        // Anna 20, 16, 12, 20; Ben 18, 18, 28, 32 + 8; Cleo 40, 40, 24, 0.
        #expect(hours(weeks.map(\.hard)) == [78, 74, 64, 60])
        // Anna 0, 16, 12, 20; Dora 0, 12, 20, 20.
        #expect(hours(weeks.map(\.soft)) == [0, 28, 32, 40])
        // Anna 20, 16, 12, 20; Ben 6, 6, 0, 0; Dora 0, 12, 20, 20.
        #expect(hours(weeks.map(\.free)) == [26, 34, 32, 40])
        #expect(weeks[0].percent == 75)
        #expect(abs(try #require(weeks[3].percent) - 65.217_391) < 1e-6)
    }

    @Test("utilisation by project equals the worked figures")
    func byProject() {
        let rows = table { table, days, bookings in
            table.add(&days, bookings) { $0.project.id == Self.p1.id ? 0 : $0.project.id == Self.p2.id ? 1 : 2 }
        }
        #expect(hours(rows[0].map(\.hard)) == [78, 74, 36, 28])
        #expect(hours(rows[1].map(\.hard)) == [0, 0, 28, 32])
        #expect(hours(rows[1].map(\.soft)) == [0, 16, 12, 20])
        #expect(hours(rows[2].map(\.soft)) == [0, 12, 20, 20])
        #expect(rows[2].map(\.hard) == [0, 0, 0, 0])
    }

    @Test("hours beyond a person's last day are orphaned, not pressed into the days before it")
    func leaver() {
        let account = Self.cleo.account(of: Self.company[2].bookings[0])
        #expect(hours([account.loaded, account.orphaned, account.released]) == [104, 72, 0])
        #expect(Self.cleo.load(of: Self.company[2].bookings[0], on: day("2026-03-18")) == 480)
    }

    @Test("work finished early is released, and work finished before it began loads nothing")
    func finishedEarly() {
        let account = Self.ben.account(of: Self.company[1].bookings[2])
        #expect(hours([account.loaded, account.released]) == [8, 8])
        // Two of 80 % in one week, and a full one that was done before it began: 80 h are free in the two weeks after.
        let bookings = [
            Booking("2026-03-02", "2026-03-06", percentage: 80), Booking("2026-03-02", "2026-03-06", percentage: 80),
            Booking("2026-03-09", "2026-03-20", percentage: 100, completed: "2026-03-01"),
        ]
        for window in [days("2026-03-02", "2026-03-08"), days("2026-03-02", "2026-03-22")] {
            var person = PersonDays(window)
            person.reckon(.fullTime, bookings)
            #expect(person.overCapacity(bookings).map(\.over) == [24 * 60])
            #expect(person.free(0..<window.count) == (window.count - 7) / 7 * 40 * 60)
        }
    }

    @Test("over capacity names its days, its hours and its bookings")
    func overCapacity() {
        var person = PersonDays(Self.march)
        person.reckon(Self.ben, Self.company[1].bookings)
        let over = person.overCapacity(Self.company[1].bookings)
        #expect(over.map(\.from) == [day("2026-03-23")])
        #expect(over.map(\.to) == [day("2026-03-24")])
        #expect(over.map(\.over) == [8 * 60])
        #expect(over.map(\.bookings) == [Self.company[1].bookings[1...].map(\.id)])
        #expect(over.map(\.percent) == [150])
        #expect(person.peakPercent == 150)
    }

    @Test("a period over capacity goes on over a week-end, and another one begins with other bookings")
    func periodsOverCapacity() {
        let bookings = [
            Booking("2026-03-05", "2026-03-11", percentage: 80), Booking("2026-03-05", "2026-03-11", percentage: 30),
            Booking("2026-03-11", "2026-03-11", percentage: 10),
        ]
        var person = PersonDays(Self.march)
        person.reckon(.fullTime, bookings)
        let over = person.overCapacity(bookings)
        #expect(
            over.map { "\($0.from) \($0.to) \($0.over)" } == ["2026-03-05 2026-03-10 192", "2026-03-11 2026-03-11 96"])
    }

    @Test("80 hours in a week of 40, ten hours in two weeks, sixty on three days")
    func hoursOnly() {
        let week = days("2026-03-02", "2026-03-06")
        func figures(_ window: DayWindow, _ bookings: [Booking]) -> [Double] {
            var person = PersonDays(window)
            person.reckon(.fullTime, bookings)
            let sum = person.utilisation(0..<window.count)
            return hours([sum.hard, sum.free, person.overCapacity(bookings).reduce(0) { $0 + $1.over }])
        }
        #expect(figures(week, [Booking("2026-03-02", "2026-03-06", hours: 80, percentage: 0)]) == [80, 0, 40])
        #expect(
            figures(days("2026-03-02", "2026-03-13"), [Booking("2026-03-02", "2026-03-13", hours: 10)]) == [10, 70, 0])
        #expect(figures(week, [Booking("2026-03-02", "2026-03-04", hours: 60)]) == [60, 16, 36])
        // Nothing is ever taken to be 100 %.
        #expect(figures(week, [Booking("2026-03-02", "2026-03-06")]) == [0, 40, 0])
    }

    @Test("hours with no working day in their window stand on its first day")
    func weekEnd() {
        let bookings = [Booking("2026-03-07", "2026-03-08", hours: 6)]
        var person = PersonDays(Self.march)
        person.reckon(.fullTime, bookings)
        #expect(person.hard[5] == 360)
        #expect(person.overCapacity(bookings).map(\.from) == [day("2026-03-07")])
        #expect(person.overCapacity(bookings).first?.percent == nil)
    }

    @Test("without an end, hours last as long as they do at the stated pace, and other efforts go on")
    func openEnded() {
        func last(_ booking: Booking, _ time: WorkingTime = .fullTime) -> String? {
            time.extent(of: booking).last?.description
        }
        #expect(last(Booking("2026-03-04", nil, hours: 16, percentage: 100)) == "2026-03-05")
        #expect(last(Booking("2026-03-06", nil, hours: 16)) == "2026-03-09")
        #expect(last(Booking("2026-03-02", nil, hours: 40, percentage: 50)) == "2026-03-13")
        #expect(last(Booking("2026-03-02", nil, hours: 40, hoursPerDay: 4)) == "2026-03-13")
        #expect(last(Booking("2026-03-02", nil, hours: 0)) == "2026-03-02")
        // The holiday of 9 March, the leave of the 16th and 17th.
        #expect(last(Booking("2026-03-09", nil, hours: 48), Self.anna) == "2026-03-19")
        #expect(last(Booking("2026-03-02", nil, hours: 40), WorkingTime(spells: [], contracts: [])) == "2026-03-02")
        #expect(last(Booking("2026-03-02", nil, percentage: 50)) == nil)
        // 16 minutes a day are done on the 3,600th working day.
        #expect(last(Booking("2026-03-02", nil, hours: 960, hoursPerDay: 0.266_667)) == "2039-12-16")
        #expect(WorkingTime.fullTime.load(of: Booking("2026-03-02", nil, percentage: 50), on: day("2031-03-03")) == 240)
    }

    @Test("hours that would last longer than twenty years count at their pace, and are pressed into no days")
    func neverEnding() {
        let time = WorkingTime.fullTime
        // 8 hours a day of at most 5,219 working days.
        #expect(time.neverEnds(Booking("2026-03-02", nil, hours: 41_752 + 8)))
        #expect(!time.neverEnds(Booking("2026-03-02", nil, hours: 41_700)))
        #expect(!time.neverEnds(Booking("2026-03-02", "2026-03-06", hours: 1e6)))
        for (booking, minutes) in [
            (Booking("2026-03-02", nil, hours: 1e6), 480),
            (Booking("2026-03-02", nil, hours: 1e5, percentage: 50), 240),
            (Booking("2026-03-02", nil, hours: 1e6, hoursPerDay: 3), 180),
        ] {
            #expect(time.extent(of: booking).last == nil)
            var person = PersonDays(days("2031-03-03", "2031-03-09"))
            person.reckon(time, [booking])
            #expect(person.hard == [minutes, minutes, minutes, minutes, minutes, 0, 0])
            #expect(time.load(of: booking, on: day("2031-03-03")) == minutes)
        }
        // Nobody works after the contract's last change: what was not done by then is not pressed into the days before.
        let ending = WorkingTime(
            spells: [],
            contracts: [
                Contract(from: nil, pattern: WeeklyPattern(weeklyHours: 40)),
                Contract(from: day("2026-03-09"), pattern: WeeklyPattern(weeklyHours: 0)),
            ])
        let found = conflicts(
            of: Booking("2026-03-02", nil, hours: 60), person: Person(id: EmployeeID(), time: ending), others: [])
        #expect(found.map(\.kind) == [.hoursNeverEnd])
        #expect(ending.load(of: Booking("2026-03-02", nil, hours: 60), on: day("2026-03-06")) == 480)
    }

    @Test("after a change of contract the past keeps the former contract")
    func contracts() {
        let time = WorkingTime(
            spells: [EmploymentSpell(from: day("2025-01-01"), to: nil)],
            contracts: [
                Contract(from: day("2025-01-01"), pattern: WeeklyPattern(weeklyHours: 40)),
                Contract(from: day("2026-03-04"), pattern: WeeklyPattern(weeklyHours: 20)),
            ])
        #expect(time.capacity(over: days("2026-02-02", "2026-02-06")) == 40 * 60)
        #expect(time.capacity(over: days("2026-03-02", "2026-03-06")) == (2 * 8 + 3 * 4) * 60)
        #expect(time.capacity(over: days("2024-12-30", "2025-01-03")) == 3 * 8 * 60)
        var person = PersonDays(days("2026-02-02", "2026-03-08"))
        person.reckon(time, [])
        for date in ["2026-02-02", "2026-02-03", "2026-03-05"] { person.record(percent: 100, on: day(date)) }
        let sum = person.utilisation(0..<person.window.count)
        #expect([sum.recorded, sum.recordedCapacity, sum.recordedDays] == [20 * 60, 20 * 60, 3])
    }

    @Test("a person who leaves and comes back has capacity in both spells; a hold takes free time and no capacity")
    func spells() {
        let time = WorkingTime(
            spells: [
                EmploymentSpell(from: day("2026-03-16"), to: nil), EmploymentSpell(from: nil, to: day("2026-03-03")),
            ], heldFrom: day("2026-03-18"), contracts: WorkingTime.fullTime.contracts)
        var person = PersonDays(Self.march)
        person.reckon(time, [])
        #expect(hours([person.utilisation(0..<28).capacity]) == [96])
        #expect(hours([person.free(0..<28)]) == [32])
        #expect(time.isEmployed(on: day("2026-03-03")) && !time.isEmployed(on: day("2026-03-04")))
        #expect(!time.isEmployed(within: days("2026-03-04", "2026-03-15")))
    }

    @Test("leave that is only requested is shown and takes nothing")
    func requestedLeave() {
        var person = PersonDays(Self.march)
        person.reckon(Self.anna, [])
        #expect(person.requestedLeave.reduce(0, +) == 480)
        #expect(person.capacity[21] == 480)
    }

    @Test("weeks begin on Mondays, months on their first, and a window cuts them off")
    func periods() {
        func starts(_ window: DayWindow, _ length: PeriodLength) -> [String] {
            window.periods(length).map { "\($0.days.first) \($0.places)" }
        }
        #expect(
            starts(days("2026-03-05", "2026-03-17"), .week) == [
                "2026-03-05 0..<4", "2026-03-09 4..<11", "2026-03-16 11..<13",
            ])
        #expect(
            starts(days("2025-12-30", "2026-02-02"), .month) == [
                "2025-12-30 0..<2", "2026-01-01 2..<33", "2026-02-01 33..<35",
            ])
        #expect(starts(days("2026-03-05", "2026-03-06"), .day) == ["2026-03-05 0..<1", "2026-03-06 1..<2"])
        #expect(starts(days("2026-03-05", "2026-03-17"), .total) == ["2026-03-05 0..<13"])
        #expect(day("1969-12-29").weekday == 0 && day("2026-03-08").weekday == 6)
    }

    @Test("a week of hours is five days that add up to it")
    func patterns() {
        #expect(WeeklyPattern(weeklyHours: 38.25).mondayToSunday == [459, 459, 459, 459, 459, 0, 0])
        #expect(WeeklyPattern(weeklyHours: 33.3).mondayToSunday == [400, 400, 400, 399, 399, 0, 0])
        #expect(Apportionment.parts(of: 10, weights: [1, 0, 1, 1]) == [4, 0, 3, 3])
        #expect(Apportionment.parts(of: 10, weights: [0, 0]) == [0, 0])
    }
}
