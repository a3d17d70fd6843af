import Contracts
import Forecasting
import Foundation
import HistoryFeed
import Ledger

/// What this node knows of one tenant: the history that forecasts are made from, and the people and work around it.
struct TenantKnowledge: Sendable {
    /// The same as long as the history has changed in place only.
    let load = UUID()
    private(set) var history = History()
    private(set) var employees: [EmployeeID: HistoryEmployee] = [:]
    private(set) var projects: [ProjectID: HistoryProject] = [:]
    private(set) var bookings: [EmployeeID: PersonBookings] = [:]
    private(set) var times = PeopleTime()
    private(set) var people = PeopleTable()
    private(set) var skillNames = SkillNames()
    private var employeeOfBooking: [AllocationID: EmployeeID] = [:]
    /// Former people of the few bookings that were reassigned.
    private var earlierEmployees: [AllocationID: Set<EmployeeID>] = [:]
    /// Whose records have come since the last whole feed.
    private var changed: Set<EmployeeID> = []
    /// Whether a change since then may affect a person's computed bookings.
    private var needsReckoning = false
    /// After this moment every project stands as it does now.
    private var projectsSettledAt = Date.distantPast
    /// Whose days the tenant's dates are.
    private(set) var zone = TimeZone.gmt
    /// About how much memory it takes without what is kept between questions.
    private var bytesOfRecords = 0
    /// Where the feed goes on; nil before the first whole one.
    private(set) var watermark: String?

    init() {}

    /// Takes in what changed since the watermark, of one complete feed.
    mutating func take(_ lines: [HistoryLine], end: HistoryEnd) {
        history.apply(lines.lazy.compactMap(\.change))
        for line in lines { note(line) }
        finish(end)
    }

    private mutating func finish(_ end: HistoryEnd) {
        let zone = end.timeZone.flatMap(TimeZone.init(identifier:)) ?? .gmt
        if times.finish() || needsReckoning || zone != self.zone { people.renewAll { times[$0] } }
        people.meet(history, changed: changed)
        changed = []
        needsReckoning = false
        self.zone = zone
        if let aliases = end.skillAliases { skillNames.setAliases(aliases) }
        bytesOfRecords = estimatedBytes
        watermark = end.watermark
    }

    /// A feed of everything as its lines come, so that they are not all held beside what they make.
    struct Intake: Sendable {
        private var history = HistoryIntake()
        /// Everything but the history.
        private var knowledge = TenantKnowledge()

        mutating func take(_ line: HistoryLine) {
            if let change = line.change { history.take(change) }
            knowledge.note(line)
        }

        /// The knowledge from the complete feed; the intake is empty afterwards.
        mutating func finish(_ end: HistoryEnd, on cores: Cores = .all) -> TenantKnowledge {
            defer { self = Intake() }
            knowledge.history = history.finish(on: cores)
            knowledge.finish(end)
            return knowledge
        }
    }

    private mutating func note(_ line: HistoryLine) {
        switch line {
        case .calendar(let calendar): times.note(calendar)
        case .employee(let employee):
            times.note(employee)
            note(employee)
        case .project(let project): note(project)
        case .allocation(let allocation):
            forget(allocation.id)
            note(allocation)
        case .removed(let row): forget(row)
        case .capacity, .end: break
        }
    }

    private mutating func note(_ employee: HistoryEmployee) {
        employees[employee.id] = employee
        if let former = people[employee.id] { skillNames.use(former.skills.map(\.number), by: -1) }
        let skills = employee.skills.map {
            KnownPerson.Skill(number: skillNames.number($0.skill), level: $0.level, since: $0.since)
        }
        skillNames.use(skills.map(\.number), by: 1)
        people.put(
            KnownPerson(
                id: employee.id, name: employee.name, department: employee.departmentId, skills: skills,
                time: times[employee.id] ?? WorkingTime(spells: [], contracts: [])))
        changed.insert(employee.id)
    }

    private mutating func note(_ project: HistoryProject) {
        let former = projects.updateValue(project, forKey: project.id)
        let terms = ProjectTerms(project, at: .distantFuture)
        if former.map({ ProjectTerms($0, at: .distantFuture) }) != terms { needsReckoning = true }
        for earlier in project.earlierVersions ?? [] where earlier.validUntil > projectsSettledAt {
            projectsSettledAt = earlier.validUntil
            needsReckoning = true
        }
        use(former, by: -1)
        use(project, by: 1)
    }

    private mutating func use(_ project: HistoryProject?, by difference: Int) {
        if let project { skillNames.use(skillNames.numbers(project.requiredSkills), by: difference) }
    }

    private mutating func note(_ allocation: Contracts.Allocation) {
        let before = Set((allocation.earlier ?? []).map(\.employeeId)).subtracting([allocation.employeeId])
        let skills = skillNames.numbers(allocation.requiredSkills)
        // Models learn from what was decided, which may name skills that nothing else does any more.
        if let decided = allocation.decided { _ = skillNames.numbers(decided.requiredSkills) }
        for person in [allocation.employeeId] + before {
            bookings[person, default: PersonBookings()][allocation.id] = KnownBooking(
                allocation, of: person, skills: skills)
            people.renew(person)
        }
        employeeOfBooking[allocation.id] = allocation.employeeId
        if !before.isEmpty { earlierEmployees[allocation.id] = before }
    }

    private mutating func forget(_ row: RemovedRow) {
        switch row.kind {
        case "calendar": times.forget(calendar: row.id)
        case "employee":
            let id = EmployeeID(rawValue: row.id)
            employees[id] = nil
            times.forget(id)
            if let person = people[id] { skillNames.use(person.skills.map(\.number), by: -1) }
            people.remove(id)
        case "project":
            use(projects.removeValue(forKey: ProjectID(rawValue: row.id)), by: -1)
            needsReckoning = true
        case "allocation": forget(AllocationID(rawValue: row.id))
        default: break
        }
    }

    private mutating func forget(_ id: AllocationID) {
        guard let employee = employeeOfBooking.removeValue(forKey: id) else { return }
        bookings[employee]?[id] = nil
        people.renew(employee)
        for person in earlierEmployees.removeValue(forKey: id) ?? [] {
            bookings[person]?[id] = nil
            people.renew(person)
        }
    }

    /// Computes a person's days as they were known at a moment.
    /// - Parameter ignoringHold: holds are known for today only.
    func reckon(_ person: EmployeeID, at moment: Date, ignoringHold: Bool = false, into days: inout PersonDays) {
        guard var time = times[person] else { return days.reckon(WorkingTime(spells: [], contracts: []), []) }
        if ignoringHold, time.heldFrom != nil {
            time = WorkingTime(spells: time.spells, contracts: time.contracts, leave: time.leave)
        }
        var known: [Booking] = []
        bookings[person]?.forEach(at: moment, from: days.window.first) { id, booking in
            let found = booking.booking(id, at: moment, in: zone) { project in
                projects[project].map { ProjectTerms($0, at: moment) }
            }
            if let found { known.append(found) }
        }
        days.reckon(time, known)
    }

    /// Percent of a person's capacity that is free in the window, as it was known at a moment; `days` is of that window.
    ///
    /// The same result as from ``reckon(_:at:ignoringHold:into:)``, without computing unchanged parts again.
    /// - Parameters:
    ///   - wide: of ``FreeCalendar/window(around:)``.
    func freePercent(
        _ person: KnownPerson, at moment: Date, ignoringHold: Bool, today: CivilDate, _ wide: inout PersonDays,
        into days: inout PersonDays
    ) -> Double {
        if !ignoringHold || person.time.heldFrom == nil {
            let calendar = person.kept.calendar(around: today) {
                let settledAt = max(bookings[person.id]?.settledAt ?? .distantPast, projectsSettledAt)
                reckon(person.id, at: .distantFuture, into: &wide)
                return FreeCalendar(wide, settledAt: settledAt)
            }
            if let percent = calendar.minutes.freePercent(days.window, at: moment) { return percent }
        }
        reckon(person.id, at: moment, ignoringHold: ignoringHold, into: &days)
        return FreeTime(days).freePercent
    }

    /// About how much memory it takes, in rows.
    var size: Int { history.allocationCount + employees.count + projects.count }

    /// The same in bytes.
    var bytes: Int { bytesOfRecords + history.keptBytes }

    /// People with their contracts and what is kept of them, projects, bookings, the history.
    private var estimatedBytes: Int {
        history.bytes + employees.count * 5_000 + projects.count * 1_000 + employeeOfBooking.count * 320
    }
}
