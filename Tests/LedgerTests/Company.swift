import Basics
import Contracts
import Foundation
import Ledger

extension SeededGenerator {
    /// Seeds in a row give sequences that have nothing in common.
    init(_ seed: Int) { self.init(seed: Self.mixed(UInt64(truncatingIfNeeded: seed))) }

    mutating func happens(_ chance: Double) -> Bool { Double.random(in: 0..<1, using: &self) < chance }
    mutating func number(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &self) }
    mutating func one<Element>(of all: [Element]) -> Element { all[number(0...all.count - 1)] }
}

func day(_ text: String) -> CivilDate {
    guard let day = CivilDate(text) else { preconditionFailure("no day: \(text)") }
    return day
}

func days(_ first: String, _ last: String) -> DayWindow { DayWindow(day(first), day(last)) }

extension WorkingTime {
    /// Five days of eight hours, for ever.
    static let fullTime = WorkingTime(
        spells: [], contracts: [Contract(from: nil, pattern: WeeklyPattern(weeklyHours: 40))])
}

extension ProjectTerms {
    static func running(_ id: ProjectID = ProjectID()) -> ProjectTerms {
        ProjectTerms(id: id, status: .inProgress, first: nil, last: nil)
    }
}

extension Booking {
    init(
        _ first: String, _ last: String?, hours: Double? = nil, hoursPerDay: Double? = nil, percentage: Double? = nil,
        project: ProjectTerms = .running(), commitment: Commitment = .hard, isCancelled: Bool = false,
        completed: String? = nil, requiredSkills: [RequiredSkill] = []
    ) {
        self.init(
            id: AllocationID(), project: project, first: day(first), last: last.map(day),
            effort: Effort(hours: hours, hoursPerDay: hoursPerDay, percentage: percentage), commitment: commitment,
            isCancelled: isCancelled, completed: completed.map(day), requiredSkills: requiredSkills)
    }

    func with(
        first: CivilDate? = nil, last: CivilDate?, effort: Effort, completed: CivilDate? = nil
    ) -> Booking {
        Booking(
            id: AllocationID(), project: project, first: first ?? self.first, last: last, effort: effort,
            commitment: commitment, isCancelled: isCancelled, completed: completed ?? self.completed,
            requiredSkills: requiredSkills)
    }
}

/// People and bookings of every kind there is, around 2026.
struct GeneratedPerson {
    let time: WorkingTime
    let bookings: [Booking]

    static let start = day("2026-01-01").daysSinceEpoch

    init(seed: Int) {
        var random = SeededGenerator(seed)
        let calendars = (0..<2).map { _ in
            HolidayCalendar(
                (0..<random.number(0...30)).map { _ in
                    Holiday(Self.someDay(-200...500, &random), off: Self.timeOff(&random))
                })
        }
        time = WorkingTime(
            spells: Self.spells(&random), heldFrom: random.happens(0.1) ? Self.someDay(0...300, &random) : nil,
            contracts: (0..<random.number(0...3)).map { index in
                Contract(
                    from: index == 0 && random.happens(0.5) ? nil : Self.someDay(-100...300, &random),
                    pattern: Self.pattern(&random), calendar: random.happens(0.7) ? random.one(of: calendars) : nil)
            },
            leave: (0..<random.number(0...5)).map { _ in
                let first = Self.someDay(-50...350, &random)
                return Leave(
                    DayWindow(first, first.adding(days: random.number(0...25))), off: Self.timeOff(&random),
                    isApproved: random.happens(0.7))
            })
        bookings = (0..<random.number(0...12)).map { _ in Self.booking(&random) }
    }

    private static func someDay(_ range: ClosedRange<Int>, _ random: inout SeededGenerator) -> CivilDate {
        CivilDate(daysSinceEpoch: start + random.number(range))
    }

    private static func timeOff(_ random: inout SeededGenerator) -> TimeOff {
        random.happens(0.6) ? .wholeDay : .minutes(random.number(1...500))
    }

    private static func pattern(_ random: inout SeededGenerator) -> WeeklyPattern {
        if random.happens(0.5) { return WeeklyPattern(weeklyHours: random.one(of: [40, 38.25, 37.5, 20, 33.3, 0])) }
        return WeeklyPattern(
            mondayToSunday: (0..<7).map { _ in random.happens(0.4) ? 0 : random.number(1...600) })
    }

    private static func spells(_ random: inout SeededGenerator) -> [EmploymentSpell] {
        var spells: [EmploymentSpell] = []
        var first = random.happens(0.4) ? nil : Optional(someDay(-200...200, &random))
        for _ in 0..<random.number(0...3) {
            let last = (first ?? someDay(-100...100, &random)).adding(days: random.number(0...150))
            let isOpen = random.happens(0.4)
            spells.append(EmploymentSpell(from: first, to: isOpen ? nil : last))
            if isOpen { break }
            first = last.adding(days: random.number(1...90))
        }
        return spells
    }

    private static func booking(_ random: inout SeededGenerator) -> Booking {
        let first = someDay(-150...300, &random)
        let last = random.happens(0.85) ? first.adding(days: random.number(0...120)) : nil
        let effort =
            switch random.number(0...7) {
            case 0: Effort(percentage: random.one(of: [0, 10, 33.3, 50, 100]))
            case 1: Effort(minutesPerDay: random.number(0...700))
            case 2: Effort()
            case 3: Effort(minutes: random.number(0...20_000), percentage: random.one(of: [0, 25, 80]))
            case 4: Effort(minutes: random.number(0...20_000), minutesPerDay: random.number(1...500))
            default: Effort(minutes: random.number(0...30_000))
            }
        let status = random.one(of: ProjectStatus.allCases)
        return Booking(
            id: AllocationID(), project: ProjectTerms(id: ProjectID(), status: status, first: nil, last: nil),
            first: first, last: last, effort: effort, commitment: random.happens(0.2) ? .soft : .hard,
            isCancelled: random.happens(0.1),
            completed: random.happens(0.3) ? first.adding(days: random.number(-20...100)) : nil)
    }
}
