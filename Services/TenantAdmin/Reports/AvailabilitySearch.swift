import Contracts
import Ledger
import Postgres
import ServiceKit
import ServiceStorage

/// Who could do some work: people who have all that they must have, best first.
struct AvailabilitySearch: Sendable {
    let reports: Reports

    /// How far ahead the earliest days are looked for.
    private static let horizon = 365

    func find(_ request: AvailabilitySearchRequest, in tenant: TenantID) async throws -> AvailabilitySearchResult {
        let wanted = try await reports.database.withTenant(tenant, readOnly: true) {
            try await Wanted(request, on: $0)
        }
        let limit = request.limit ?? 20
        // One computation serves the window and the look ahead.
        let reach = DayWindow(request.from, max(request.to, request.from.adding(days: Self.horizon)))
        let window = DayWindow(request.from, request.to)
        let weeks = window.periods(.week)
        var best: [AvailabilityMatch] = []
        var (candidates, earliest): (Int, EarliestMatch?) = (0, nil)
        let question = Reports.Question(window: reach, people: wanted.people, limit: 1_000)
        try await reports.walk(question, of: tenant, withSkills: true) { person, days in
            guard days.canPlan(0..<window.count), let match = wanted.match(person, on: window.first) else {
                return true
            }
            candidates += 1
            let found = AvailabilityMatch(person.employee, match, days, wanted.effort, window, weeks)
            if let days = found.earliest, earliest.map({ (days.to, days.from) < ($0.to, $0.from) }) ?? true {
                earliest = EarliestMatch(employee: person.employee, from: days.from, to: days.to)
            }
            let place = best.firstIndex { found.isBetter(than: $0) } ?? best.count
            if place < limit {
                best.insert(found, at: place)
                if best.count > limit { best.removeLast() }
            }
            return true
        }
        return AvailabilitySearchResult(people: best, candidates: candidates, earliest: earliest)
    }
}

/// The effort that is looked for.
enum WantedEffort: Sendable {
    case minutes(Int)
    case percentage(Double)
}

/// What is asked of people, with names found.
private struct Wanted: Sendable {
    let people: PeopleFilter
    let effort: WantedEffort?
    private let skills: [(name: String, id: SkillID, level: Int?, isMust: Bool)]
    private let department: (name: String, isMust: Bool)?
    private let calendar: (name: String, isMust: Bool)?

    /// - Throws: 422 for a skill, department or calendar that the tenant does not have, which no person could match.
    init(_ request: AvailabilitySearchRequest, on connection: PostgresConnection) async throws {
        var errors: [FieldError] = []
        func check(_ wanted: WantedName?, _ field: String, _ query: (String) -> SQL) async throws -> (String, Bool)? {
            guard let wanted else { return nil }
            let found = try await connection.query(query(wanted.name)).first
            if found == nil {
                errors.append(
                    FieldError(field: field, message: "is not a \(field.prefix { $0 != "." }) of this tenant"))
            }
            return try found.map { (try $0.decode(at: 0), wanted.need != .nice) }
        }
        department = try await check(request.department, "department.name") {
            "SELECT name FROM departments WHERE folded_name = folded(\($0))"
        }
        calendar = try await check(request.calendar, "calendar.name") {
            "SELECT name FROM calendars WHERE folded_name = folded(\($0))"
        }
        var skills: [(name: String, id: SkillID, level: Int?, isMust: Bool)] = []
        for (index, skill) in (request.skills ?? []).enumerated() {
            let rows = try await connection.query(
                """
                SELECT s.id, s.name FROM skills s JOIN skill_names n ON n.skill_id = s.id
                WHERE n.folded = folded(\(skill.skill))
                """)
            guard let row = rows.first else {
                errors.append(FieldError(field: "skills[\(index)].skill", message: "is not a skill of this tenant"))
                continue
            }
            skills.append((try row.decode(at: 1), try row.decode(at: 0), skill.level, skill.need != .nice))
        }
        guard errors.isEmpty else { throw ProblemError.validation(errors) }
        self.skills = skills
        people = PeopleFilter(department: department.flatMap { $0.isMust ? $0.name : nil })
        effort = request.hours.map { .minutes(Minutes.of(hours: $0)) } ?? request.percentage.map { .percentage($0) }
    }

    struct Match {
        let share: Double
        let missing: [String]
    }

    /// nil for a person who does not meet the search's requirements.
    func match(_ person: PlannedPerson, on day: CivilDate) -> Match? {
        var missing: [String] = []
        for skill in skills {
            let held = person.person.skills.first { $0.skill == skill.id && $0.isHeld(on: day) }
            if let held, skill.level.map({ (held.level ?? 0) >= $0 }) ?? true { continue }
            if skill.isMust { return nil }
            missing.append(held == nil ? skill.name : "\(skill.name) at level \(skill.level ?? 1)")
        }
        if let department, person.employee.department != department.name {
            if department.isMust { return nil }
            missing.append("department")
        }
        if let calendar, person.calendar(on: day) != calendar.name {
            if calendar.isMust { return nil }
            missing.append("calendar")
        }
        let count = skills.count + (department == nil ? 0 : 1) + (calendar == nil ? 0 : 1)
        return Match(share: count == 0 ? 1 : Double(count - missing.count) / Double(count), missing: missing)
    }
}

extension PersonDays {
    /// Whether some of these days is one of employment on which one may plan with the person.
    fileprivate func canPlan(_ places: Range<Int>) -> Bool {
        places.contains { employed[$0] && plannable.contains($0) }
    }
}

extension AvailabilityMatch {
    /// - Parameter days: the window and the look ahead.
    fileprivate init(
        _ employee: ReportedEmployee, _ match: Wanted.Match, _ days: PersonDays, _ effort: WantedEffort?,
        _ window: DayWindow, _ weeks: [Period]
    ) {
        let places = 0..<window.count
        let sum = days.utilisation(places)
        var (fits, earliest): (Bool?, DayWindow?) = (nil, nil)
        switch effort {
        case .minutes(let minutes):
            fits = days.hasFree(minutes: minutes, in: places)
            earliest = days.earliest(minutes: minutes)
        case .percentage(let percentage):
            fits = days.hasFree(percentage: percentage, in: places)
            earliest = days.earliest(percentage: percentage, days: window.count)
        case nil: break
        }
        self.init(
            employee: employee, match: match.share.tidy, missing: match.missing,
            capacityHours: reportedHours(sum.capacity), freeHours: reportedHours(sum.free),
            freePercent: Utilisation.percent(sum.free, of: sum.capacity)?.tidy, fits: fits,
            earliest: earliest.map { SearchedDays(from: $0.first, to: $0.last) }, weeks: days.parts(weeks))
    }

    /// Those on whom it fits first, then by match, then by free time; people are walked by external id, which breaks ties.
    fileprivate func isBetter(than other: Self) -> Bool {
        if fits != other.fits { return fits == true }
        if match != other.match { return match > other.match }
        return freeHours > other.freeHours
    }
}
