import Basics
import Contracts
import Foundation

/// A made-up company. Each person has a pace and a few skills, each project a difficulty; what a task takes is its plan
/// times pace, difficulty, how well the skills fit, and chance. Tasks still open at the end have no outcome. What comes after the
/// history is a ``DemoPlan``.
struct DemoCompany {
    private struct Person {
        let id: String, department: Int, capacity: Double, hired: CivilDate, left: CivilDate?
        let pace: Double
        let skills: [(skill: Int, level: Int, since: CivilDate)]
    }

    private struct Venture {
        let id: String, start: CivilDate, estimatedEnd: CivilDate, end: CivilDate?, difficulty: Double, skills: [Int]
    }

    private struct Task {
        let person: Int, project: Int, planned: Double, actual: Double?, skills: [Int]
        let decided: CivilDate, start: CivilDate, end: CivilDate, completed: CivilDate?, share: Double, kind: String
    }

    static let departments = [
        "Engineering", "Design", "Data", "Operations", "Quality", "Consulting", "Support", "Security",
    ]
    static let skills = [
        "Swift", "SQL", "Linux", "Networking", "Frontend", "Testing", "Statistics", "Forecasting", "User research",
        "Writing", "Security review", "Databases", "Incident response", "Architecture", "Accessibility", "Training",
        "Procurement", "Planning",
    ]
    static let kinds = ["feature", "bug", "research", "maintenance", "support"]
    private static let givenNames = [
        "Ada", "Bram", "Chidi", "Dalia", "Emre", "Farah", "Goran", "Hana", "Ivo", "Jun", "Kofi", "Lena", "Mira", "Nils",
        "Oona", "Paulo", "Quinn", "Rosa", "Sven", "Tala",
    ]
    private static let familyNames = [
        "Abara", "Bianchi", "Castro", "Dahl", "Eriksen", "Fontaine", "Gupta", "Haddad", "Ito", "Jansen", "Kowalski",
        "Larsen", "Moreau", "Novak", "Okafor", "Petrov", "Quispe", "Rossi", "Sato", "Tanaka",
    ]

    private let first: CivilDate
    private let last: CivilDate
    private let settings: DemoSettings
    private var people: [Person] = []
    private var ventures: [Venture] = []
    private var tasks: [Task] = []

    init(settings: DemoSettings, until last: CivilDate) {
        self.settings = settings
        self.last = last
        first = last.adding(days: -settings.days)
        var random = SeededGenerator(seed: settings.seed)
        for index in 0..<settings.employees { people.append(person(index, &random)) }
        for index in 0..<settings.projects { ventures.append(venture(index, &random)) }
        for index in people.indices { addTasks(of: index, &random) }
        tasks.sort { ($0.decided, $0.person, $0.project) < ($1.decided, $1.person, $1.project) }
    }

    private func person(_ index: Int, _ random: inout SeededGenerator) -> Person {
        // Two in three were there before the history begins; one in ten leaves before it ends.
        let hired =
            random.uniform() < 0.67
            ? first.adding(days: -random.index(below: 2_000))
            : first.adding(days: random.index(below: settings.days * 9 / 10))
        let stay = 120 + random.index(below: settings.days)
        let left = random.uniform() < 0.1 ? max(hired, first).adding(days: stay) : nil
        let count = 2 + random.index(below: 4)
        var chosen: [(skill: Int, level: Int, since: CivilDate)] = []
        while chosen.count < count {
            let skill = random.index(below: Self.skills.count)
            if chosen.contains(where: { $0.skill == skill }) { continue }
            chosen.append((skill, 1 + random.index(below: 5), hired))
        }
        return Person(
            id: "P\(index + 1)", department: random.index(below: Self.departments.count),
            capacity: random.uniform() < 0.8 ? 40 : 20 + Double(random.index(below: 4)) * 5,
            hired: hired, left: left.flatMap { $0 < last ? $0 : nil }, pace: settings.personSpread * random.normal(),
            skills: chosen.sorted { $0.skill < $1.skill })
    }

    private func venture(_ index: Int, _ random: inout SeededGenerator) -> Venture {
        let start = first.adding(days: -60 + random.index(below: settings.days))
        let length = 90 + random.index(below: 360)
        let difficulty = settings.projectSpread * random.normal()
        let took = Int(Double(length) * exp(difficulty + 0.15 * random.normal()))
        let end = start.adding(days: took)
        let required = Set((0..<(1 + random.index(below: 4))).map { _ in random.index(below: Self.skills.count) })
        return Venture(
            id: "J\(index + 1)", start: start, estimatedEnd: start.adding(days: length), end: end <= last ? end : nil,
            difficulty: difficulty, skills: required.sorted())
    }

    private mutating func addTasks(of index: Int, _ random: inout SeededGenerator) {
        let person = people[index]
        var day = max(first, person.hired)
        let until = person.left ?? last
        while true {
            day = day.adding(days: 1 + Int(-log(1 - random.uniform()) * (settings.meanDaysBetweenAllocations - 1)))
            if day > until { return }
            let open = ventures.indices.filter {
                ventures[$0].start <= day && day < ventures[$0].end ?? last.adding(days: 1)
            }
            guard !open.isEmpty else { continue }
            tasks.append(task(index, open[random.index(below: open.count)], decided: day, &random))
        }
    }

    private func task(_ index: Int, _ project: Int, decided: CivilDate, _ random: inout SeededGenerator) -> Task {
        let person = people[index]
        let venture = ventures[project]
        var needed = venture.skills.filter { _ in random.uniform() < 0.6 }
        if needed.isEmpty { needed = [venture.skills[0]] }
        // Planned in quarters of an hour, from an hour to some weeks.
        let planned = max(1, (exp(2.6 + 0.9 * random.normal()) * 4).rounded() / 4)
        let match = needed.filter { skill in person.skills.contains { $0.skill == skill } }
        let misfit = 0.25 * (1 - Double(match.count) / Double(needed.count)) - 0.08
        let noise = settings.taskSpread * random.normal()
        let exact = random.uniform() < settings.exactShare
        let factor = exact ? 1 : exp(person.pace + venture.difficulty + misfit + noise)
        let actual = max(0.25, (planned * factor * 4).rounded() / 4)
        let share = Double(20 + 10 * random.index(below: 9))
        let wanted = decided.adding(days: random.index(below: 6))
        let start = person.left.map { min(wanted, $0) } ?? wanted
        func days(_ hours: Double) -> Int { Int((hours / (person.capacity * share / 100) * 7).rounded(.up)) }
        let completed = start.adding(days: max(1, days(actual)))
        let kind = Self.kinds[random.index(below: Self.kinds.count)]
        return Task(
            person: index, project: project, planned: planned, actual: completed < last ? actual : nil, skills: needed,
            decided: decided, start: start, end: start.adding(days: max(1, days(planned))),
            completed: completed < last ? completed : nil, share: share, kind: kind)
    }
}

extension DemoCompany {
    /// One file: its header and its rows.
    struct File: Sendable, Equatable {
        let kind: ImportKind
        let columns: [String]
        let rows: [[String]]
    }

    /// The files in the order in which they are to be imported.
    func files() -> [File] {
        let plan = plan
        return [
            File(
                kind: .departments, columns: ["name", "description"],
                rows: Self.departments.map { [$0, "\($0) of the demo company"] }),
            File(kind: .skills, columns: ["name", "category"], rows: Self.skills.map { [$0, ""] }),
            File(kind: .calendars, columns: ["name"], rows: DemoPlan.calendars.map { [$0] }),
            File(kind: .holidays, columns: ["calendar", "date", "name", "minutes_off"], rows: plan.holidays),
            File(
                kind: .employees,
                columns: [
                    "external_id", "name", "email", "department", "weekly_capacity_hours", "hired_on", "left_on",
                ],
                rows: employeeRows(plan)),
            File(
                kind: .contracts,
                columns: [
                    "employee_external_id", "effective_from", "monday", "tuesday", "wednesday", "thursday", "friday",
                    "saturday", "sunday", "calendar",
                ],
                rows: plan.contracts),
            File(
                kind: .leave,
                columns: [
                    "external_id", "employee_external_id", "first_day", "last_day", "minutes_per_day", "kind", "status",
                ],
                rows: plan.leave),
            File(kind: .employeeSkills, columns: ["employee_external_id", "skill", "level", "since"], rows: skillRows),
            File(
                kind: .projects,
                columns: [
                    "external_id", "name", "status", "completion_percentage", "start_date", "estimated_end_date",
                    "end_date", "required_skills",
                ],
                rows: projectRows),
            File(
                kind: .allocations,
                columns: [
                    "external_id", "employee_external_id", "project_external_id", "allocation_percentage",
                    "allocated_hours", "actual_hours", "required_skills", "start_date", "end_date", "completed_at",
                    "created_at", "labels", "hours_per_day", "commitment",
                ],
                rows: allocationRows + plan.bookings.enumerated().map(bookingRow)),
            File(
                kind: .capacityHistory, columns: ["employee_external_id", "date", "utilization_rate"],
                rows: capacityRows),
        ]
    }

    /// Of the people who are there on the last day, on the projects that go on.
    private var plan: DemoPlan {
        DemoPlan(
            people: people.filter { $0.left == nil && $0.hired <= last }.map { person in
                DemoPlan.Person(id: person.id, capacity: person.capacity, hired: person.hired)
            },
            projects: ventures.filter { $0.end == nil }.map { ($0.id, $0.skills.map { Self.skills[$0] }) },
            today: last, seed: settings.seed)
    }

    private func bookingRow(_ index: Int, _ booking: DemoPlan.Booking) -> [String] {
        let (share, hours, perDay) =
            switch booking.effort {
            case .percentage(let share): (share.fixed(0), "", "")
            case .hours(let hours): ("", hours.fixed(2), "")
            case .hoursPerDay(let hours): ("", "", hours.fixed(2))
            }
        return [
            "B\(index + 1)", booking.person, booking.project, share, hours, "", booking.skills.joined(separator: ";"),
            booking.first.description, booking.last.description, "",
            WireJSON.timestamp(booking.decided.startOfDay), "kind=feature", perDay, booking.commitment.rawValue,
        ]
    }

    private func employeeRows(_ plan: DemoPlan) -> [[String]] {
        people.enumerated().map { index, person in
            let given = Self.givenNames[index % Self.givenNames.count]
            let family = Self.familyNames[index / Self.givenNames.count % Self.familyNames.count]
            let round = index / (Self.givenNames.count * Self.familyNames.count)
            let name = round == 0 ? "\(given) \(family)" : "\(given) \(family) \(round + 1)"
            return [
                person.id, name, "\(person.id.lowercased())@demo.example", Self.departments[person.department],
                person.capacity.fixed(0), person.hired.description,
                (person.left ?? plan.leavers[person.id])?.description ?? "",
            ]
        }
    }

    private var skillRows: [[String]] {
        people.flatMap { person in
            person.skills.map { [person.id, Self.skills[$0.skill], "\($0.level)", $0.since.description] }
        }
    }

    private var projectRows: [[String]] {
        // A project is closed when its last task is done: planners would be told of each open booking on a closed one.
        let unfinished = Set(tasks.filter { $0.completed == nil }.map(\.project))
        return ventures.enumerated().map { index, venture in
            let end = unfinished.contains(index) ? nil : venture.end
            let isDone = end != nil
            let status: ProjectStatus = isDone ? .completed : venture.start > last ? .planned : .inProgress
            let elapsed = Double(last.daysSinceEpoch - venture.start.daysSinceEpoch)
            let length = Double(venture.estimatedEnd.daysSinceEpoch - venture.start.daysSinceEpoch)
            let completion = isDone ? 100 : min(95, max(0, elapsed / length * 90))
            return [
                venture.id, "Project \(venture.id)", status.rawValue, completion.fixed(0), venture.start.description,
                venture.estimatedEnd.description, end?.description ?? "",
                venture.skills.map { Self.skills[$0] }.joined(separator: ";"),
            ]
        }
    }

    private var allocationRows: [[String]] {
        tasks.enumerated().map { index, task in
            [
                "T\(index + 1)", people[task.person].id, ventures[task.project].id, task.share.fixed(0),
                task.planned.fixed(2), task.actual.map { $0.fixed(2) } ?? "",
                task.skills.map { Self.skills[$0] }.joined(separator: ";"), task.start.description,
                task.end.description,
                task.completed.map { WireJSON.timestamp($0.startOfDay) } ?? "",
                WireJSON.timestamp(task.decided.startOfDay), "kind=\(task.kind)", "", "",
            ]
        }
    }

    /// Monday's utilisation of every week: the shares of the tasks that ran that day.
    private var capacityRows: [[String]] {
        var utilisation: [[Double]] = Array(
            repeating: Array(repeating: 0, count: settings.days + 1), count: people.count)
        for task in tasks {
            let from = max(0, task.start.daysSinceEpoch - first.daysSinceEpoch)
            let to = min(settings.days, (task.completed ?? task.end).daysSinceEpoch - first.daysSinceEpoch)
            guard from <= to else { continue }
            for day in from...to { utilisation[task.person][day] += task.share }
        }
        return people.indices.flatMap { index in
            stride(from: 0, through: settings.days, by: 1).compactMap { day -> [String]? in
                let date = first.adding(days: day)
                // 1970-01-01 was a Thursday, so Mondays are the days with remainder 4.
                guard (date.daysSinceEpoch % 7 + 7) % 7 == 4, date >= people[index].hired, utilisation[index][day] > 0
                else {
                    return nil
                }
                return [people[index].id, date.description, utilisation[index][day].fixed(1)]
            }
        }
    }
}
