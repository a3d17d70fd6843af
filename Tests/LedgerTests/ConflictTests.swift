import Contracts
import Ledger
import Testing

@Suite("Conflicts of a booking")
struct ConflictTests {
    private let week = ("2026-03-02", "2026-03-06")

    private func found(
        _ booking: Booking, _ time: WorkingTime = .fullTime, skills: [HeldSkill] = [], others: [Booking] = []
    ) -> [Conflict] {
        conflicts(of: booking, person: Person(id: EmployeeID(), time: time, skills: skills), others: others)
    }

    private func summary(_ conflicts: [Conflict]) -> [String] {
        conflicts.map { "\($0.kind.rawValue) \($0.from) \($0.to) \($0.minutes ?? 0)" }
    }

    @Test("a booking that fits has none")
    func none() {
        #expect(found(Booking("2026-03-02", "2026-03-06", percentage: 100)).isEmpty)
        #expect(found(Booking("2026-03-02", "2026-03-06", percentage: 100, isCancelled: true)).isEmpty)
    }

    @Test("a booking that was completed before it began has none, whatever else would be amiss")
    func completedBeforeStart() {
        let project = ProjectTerms.running()
        let time = WorkingTime(
            spells: [EmploymentSpell(from: day("2026-03-04"), to: nil)], heldFrom: day("2026-03-05"),
            contracts: WorkingTime.fullTime.contracts,
            leave: [Leave(days("2026-03-04", "2026-03-06"), isApproved: true)])
        let other = Booking("2026-03-02", "2026-03-06", percentage: 100, project: project)
        func kinds(_ completed: String) -> Set<String> {
            let booking = Booking(
                "2026-03-02", "2026-03-06", percentage: 100, project: project, completed: completed,
                requiredSkills: [RequiredSkill(SkillID())])
            return Set(found(booking, time, others: [other]).map(\.kind.rawValue))
        }
        #expect(kinds("2026-03-01") == [])
        #expect(kinds("2026-03-02") == ["outside_employment", "same_project_twice", "skill_missing"])
    }

    @Test("a second full booking is over capacity on the days they share, and says with which")
    func overCapacity() throws {
        let first = Booking("2026-02-23", "2026-03-04", percentage: 100)
        let second = Booking("2026-03-02", "2026-03-06", hours: 40)
        let far = Booking("2026-04-01", "2026-04-30", percentage: 200)
        let conflicts = found(second, others: [first, far])
        #expect(summary(conflicts) == ["over_capacity 2026-03-02 2026-03-04 1440"])
        let conflict = try #require(conflicts.first)
        #expect(conflict.bookings == [first.id, second.id])
        #expect(conflict.commitment == .hard)
    }

    @Test("a booking without an end heeds what is booked, and agreed, after its first year")
    func overCapacityInLaterYears() {
        let endless = Booking("2026-03-02", nil, hoursPerDay: 5)
        // 2028-03-06 is a Monday.
        let far = Booking("2028-03-06", "2028-03-10", hoursPerDay: 4)
        let farAndEndless = Booking("2028-03-06", nil, hoursPerDay: 4)
        let shorter = WorkingTime(
            spells: [],
            contracts: [
                Contract(from: nil, pattern: WeeklyPattern(weeklyHours: 40)),
                Contract(from: day("2028-03-06"), pattern: WeeklyPattern(weeklyHours: 20)),
            ])
        #expect(summary(found(endless, others: [far])) == ["over_capacity 2028-03-06 2028-03-10 300"])
        #expect(summary(found(endless, others: [farAndEndless])) == ["over_capacity 2028-03-06 2028-03-10 300"])
        #expect(summary(found(endless, shorter)) == ["over_capacity 2028-03-06 2028-03-10 300"])
        #expect(found(endless, others: [Booking("2028-03-06", "2028-03-10", hoursPerDay: 3)]).isEmpty)
    }

    @Test("a booking as it was does not stand beside itself as it is to be")
    func itself() {
        let booking = Booking("2026-03-02", "2026-03-06", percentage: 100)
        #expect(found(booking, others: [booking]).isEmpty)
    }

    @Test("soft bookings are judged with all, hard ones without the soft")
    func soft() {
        let hard = Booking("2026-03-02", "2026-03-06", percentage: 60)
        let soft = Booking("2026-03-02", "2026-03-06", percentage: 60, commitment: .soft)
        #expect(found(hard, others: [soft]).isEmpty)
        let conflicts = found(soft, others: [hard])
        #expect(summary(conflicts) == ["over_capacity 2026-03-02 2026-03-06 480"])
        #expect(conflicts.map(\.commitment) == [.soft])
    }

    @Test("days outside employment name the hours that do not count as load")
    func outsideEmployment() {
        let time = WorkingTime(
            spells: [EmploymentSpell(from: day("2025-01-01"), to: day("2026-03-04"))],
            contracts: WorkingTime.fullTime.contracts)
        #expect(
            summary(found(Booking("2026-03-02", "2026-03-13", hours: 80), time))
                == ["outside_employment 2026-03-05 2026-03-13 3360"])
        #expect(time.isWhollyOutside(Booking("2026-03-05", "2026-03-13", hours: 80)))
        #expect(!time.isWhollyOutside(Booking("2026-03-04", "2026-03-13", hours: 80)))
        #expect(!time.isWhollyOutside(Booking("2024-12-01", nil, percentage: 10)))
    }

    @Test("days of leave, and windows without a working day")
    func noTime() {
        let time = WorkingTime(
            spells: [], contracts: WorkingTime.fullTime.contracts,
            leave: [
                Leave(days("2026-03-05", "2026-03-09"), isApproved: true),
                Leave(days("2026-03-02", "2026-03-02"), off: .minutes(60), isApproved: true),
                Leave(days("2026-03-03", "2026-03-03"), isApproved: false),
            ])
        #expect(
            summary(found(Booking("2026-03-02", "2026-03-13", percentage: 50), time))
                == ["on_leave 2026-03-05 2026-03-09 0"])
        #expect(
            summary(found(Booking("2026-03-07", "2026-03-08", hours: 2)))
                == ["no_working_time 2026-03-07 2026-03-08 120", "over_capacity 2026-03-07 2026-03-07 120"])
    }

    @Test("only hours stand on a day without working time; a share of it, and hours a day, are none")
    func noTimeForAShare() {
        for booking in [
            Booking("2026-03-07", "2026-03-08", percentage: 50), Booking("2026-03-07", "2026-03-08", hoursPerDay: 4),
            Booking("2026-03-07", "2026-03-08", hours: 0),
        ] {
            let conflicts = found(booking)
            #expect(conflicts.map(\.kind) == [.noWorkingTime])
            #expect(conflicts.map(\.minutes) == [nil])
        }
    }

    @Test("a person on hold, a closed project, days outside its dates")
    func holdAndProject() {
        let held = WorkingTime(spells: [], heldFrom: day("2026-03-04"), contracts: WorkingTime.fullTime.contracts)
        func project(_ status: ProjectStatus, _ first: String? = nil, _ last: String? = nil) -> ProjectTerms {
            ProjectTerms(id: ProjectID(), status: status, first: first.map(day), last: last.map(day))
        }
        func kinds(_ project: ProjectTerms, completed: String? = nil) -> [String] {
            summary(
                found(Booking("2026-03-02", "2026-03-06", percentage: 10, project: project, completed: completed)))
        }
        #expect(
            summary(found(Booking("2026-03-02", "2026-03-06", percentage: 10), held))
                == ["person_on_hold 2026-03-04 2026-03-06 0"])
        #expect(kinds(project(.completed)) == ["project_closed 2026-03-02 2026-03-06 0"])
        #expect(kinds(project(.cancelled)) == ["project_closed 2026-03-02 2026-03-06 0"])
        #expect(kinds(project(.completed), completed: "2026-03-05") == [])
        #expect(
            kinds(project(.inProgress, "2026-03-03", "2026-03-05"))
                == ["outside_project_dates 2026-03-02 2026-03-02 0", "outside_project_dates 2026-03-06 2026-03-06 0"])
        #expect(kinds(project(.planned, "2026-03-02", "2026-03-06")) == [])
    }

    @Test("the same person twice on one project at once")
    func twice() {
        let project = ProjectTerms.running()
        let first = Booking("2026-02-02", "2026-03-03", percentage: 10, project: project)
        let done = Booking("2026-02-02", "2026-03-03", percentage: 10, project: project, completed: "2026-02-20")
        let next = Booking("2026-03-07", "2026-03-20", percentage: 10, project: project)
        let booking = Booking("2026-03-02", "2026-03-06", percentage: 10, project: project)
        let conflicts = found(booking, others: [first, done, next])
        #expect(summary(conflicts) == ["same_project_twice 2026-03-02 2026-03-03 0"])
        #expect(conflicts.map(\.bookings) == [[first.id, booking.id]])
    }

    @Test("a skill that is missing, at too low a level, at an unknown one")
    func skills() {
        let (swift, sql, go, css) = (SkillID(), SkillID(), SkillID(), SkillID())
        let booking = Booking(
            "2026-03-02", "2026-03-06", percentage: 10,
            requiredSkills: [
                RequiredSkill(swift, level: 3), RequiredSkill(sql, level: 3), RequiredSkill(go),
                RequiredSkill(css, level: 1),
            ])
        let conflicts = found(booking, skills: [HeldSkill(swift, level: 4), HeldSkill(sql, level: 2), HeldSkill(css)])
        #expect(conflicts.map(\.kind) == [.levelTooLow, .skillMissing, .levelTooLow])
        #expect(conflicts.map(\.skill) == [sql, go, css])
        // What begins within the booking is not there when the work begins.
        let days = [-1, 0, 1].compactMap { CivilDate("2026-03-02")?.adding(days: $0) }
        let since = days.map { day in
            found(booking, skills: [HeldSkill(go, since: day)]).filter { $0.skill == go }.map(\.kind)
        }
        #expect(since == [[], [], [.skillMissing]])
    }

    @Test("an effort stated twice that differs by more than a tenth, and one not stated at all")
    func effort() {
        func kinds(_ booking: Booking) -> [String] { summary(found(booking)) }
        #expect(kinds(Booking("2026-03-02", "2026-03-06", hours: 20, percentage: 54)) == [])
        #expect(
            kinds(Booking("2026-03-02", "2026-03-06", hours: 20, percentage: 60))
                == ["effort_stated_twice 2026-03-02 2026-03-06 1440"])
        #expect(
            kinds(Booking("2026-03-02", "2026-03-06", hours: 20, hoursPerDay: 5))
                == ["effort_stated_twice 2026-03-02 2026-03-06 1500"])
        #expect(
            kinds(Booking("2026-03-02", "2026-03-06", hoursPerDay: 4, percentage: 100))
                == ["effort_stated_twice 2026-03-02 2026-03-06 2400"])
        #expect(kinds(Booking("2026-03-02", "2026-03-06", hoursPerDay: 4, percentage: 54)) == [])
        #expect(kinds(Booking("2026-03-02", nil, hours: 20, percentage: 10)) == [])
        #expect(kinds(Booking("2026-03-02", "2026-03-06")) == ["effort_not_stated 2026-03-02 2026-03-06 0"])
    }
}
