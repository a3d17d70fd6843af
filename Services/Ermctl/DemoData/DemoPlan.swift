import Basics
import Contracts
import Foundation

/// What the made-up company plans from its last day on: two places with holidays, contracts that change, people away, bookings firm
/// and not, and a few conflicts to be found.
///
/// It has a generator of its own, so that the history is the same with and without a plan.
struct DemoPlan {
    /// A person to be planned with: employed on the last day, without an end.
    struct Person {
        let id: String
        let capacity: Double
        let hired: CivilDate
    }

    struct Booking {
        let person: String, project: String, skills: [String]
        let first: CivilDate, last: CivilDate, decided: CivilDate
        let effort: Effort
        let commitment: Commitment
    }

    /// In one of the three ways to state it.
    enum Effort {
        case hours(Double), hoursPerDay(Double), percentage(Double)
    }

    private(set) var contracts: [[String]] = []
    private(set) var leave: [[String]] = []
    private(set) var bookings: [Booking] = []
    /// The last days of those who leave although they are booked for longer.
    private(set) var leavers: [String: CivilDate] = [:]

    private let today: CivilDate
    private let projects: [(id: String, skills: [String])]
    private var random: SeededGenerator

    static let calendars = ["Berlin", "Toronto"]

    private static let lastWeekOfLeavers = 3

    /// Leaves, and is booked for longer.
    private static func isLeaver(_ place: Int) -> Bool { place % 29 == 7 }

    /// - Parameters:
    ///   - people: in the order of their ids.
    ///   - projects: those that are open; without any there are no bookings.
    init(people: [Person], projects: [(id: String, skills: [String])], today: CivilDate, seed: UInt64) {
        self.today = today
        self.projects = projects
        random = SeededGenerator(seed: seed &+ 1)
        for (place, person) in people.enumerated() {
            addContracts(of: person, place)
            addLeave(of: person, place)
            if !projects.isEmpty { addBookings(of: person, place) }
            if Self.isLeaver(place) { leavers[person.id] = friday(ofWeek: Self.lastWeekOfLeavers) }
        }
    }

    // MARK: When people work

    /// Holidays on the same day of every year, from a year before the plan to the year after.
    var holidays: [[String]] {
        let days: [(calendar: String, day: String, name: String, minutes: String)] = [
            ("Berlin", "01-01", "New Year", ""), ("Berlin", "05-01", "Labour Day", ""),
            ("Berlin", "10-03", "Day of German Unity", ""), ("Berlin", "12-24", "Christmas Eve", "240"),
            ("Berlin", "12-25", "Christmas Day", ""), ("Berlin", "12-26", "Second Day of Christmas", ""),
            ("Toronto", "01-01", "New Year", ""), ("Toronto", "07-01", "Canada Day", ""),
            ("Toronto", "12-25", "Christmas Day", ""), ("Toronto", "12-26", "Boxing Day", ""),
        ]
        let year = today.components.year
        return (year - 1...year + 1).flatMap { year in
            days.map { [$0.calendar, "\(year)-\($0.day)", $0.name, $0.minutes] }
        }
    }

    /// Everybody has a calendar. Of the part-timers every other one works whole days instead of five short ones.
    private mutating func addContracts(of person: Person, _ place: Int) {
        let calendar = Self.calendars[place % Self.calendars.count]
        let isWholeDays = person.capacity < 40 && place % 2 == 0
        addContract(
            person, person.hired, isWholeDays ? Self.wholeDays(person.capacity) : Self.equalDays(person.capacity),
            calendar)
        // From next month on four days a week, or back to five.
        guard place % 17 == 3 else { return }
        let hours = person.capacity < 40 ? 40.0 : 32
        addContract(person, monday(ofWeek: 4), Self.wholeDays(hours), calendar)
    }

    private mutating func addContract(_ person: Person, _ from: CivilDate, _ hours: [Double], _ calendar: String) {
        contracts.append([person.id, from.description] + hours.map { $0.fixed(2) } + [calendar])
    }

    private static func equalDays(_ weekly: Double) -> [Double] { Array(repeating: weekly / 5, count: 5) + [0, 0] }

    private static func wholeDays(_ weekly: Double) -> [Double] {
        (0..<5).map { min(8, max(0, weekly - 8 * Double($0))) } + [0, 0]
    }

    private mutating func addLeave(of person: Person, _ place: Int) {
        if place % 5 == 2 {
            let week = 1 + random.index(below: 6)
            addLeave(
                person, monday(ofWeek: week), friday(ofWeek: week + random.index(below: 2)), "vacation", "approved")
        }
        if place % 9 == 4 {
            let week = 3 + random.index(below: 6)
            addLeave(person, monday(ofWeek: week), friday(ofWeek: week), "vacation", "requested")
        }
        if place % 13 == 6 { addLeave(person, today.adding(days: -2), today.adding(days: 5), "sick", "approved") }
        if place % 11 == 1 {
            addLeave(person, monday(ofWeek: 2), friday(ofWeek: 2), "training", "approved", minutes: "240")
        }
    }

    private mutating func addLeave(
        _ person: Person, _ first: CivilDate, _ last: CivilDate, _ kind: String, _ status: String, minutes: String = ""
    ) {
        leave.append(
            ["L\(leave.count + 1)", person.id, first.description, last.description, minutes, kind, status])
    }

    // MARK: What they are booked for

    private mutating func addBookings(of person: Person, _ place: Int) {
        // Some are free, to be found.
        guard place % 4 != 0 || Self.isLeaver(place) else { return }
        let week = 1 + random.index(below: 2)
        let length = Self.isLeaver(place) ? 8 : 3 + random.index(below: 5)
        book(person, place, weeks: week...week + length, effort(place, length, of: person), .hard)
        if place % 4 == 1 {
            // No booking lies wholly outside the employment: the import would refuse it.
            let later = min(2 + random.index(below: 4), Self.isLeaver(place) ? Self.lastWeekOfLeavers : .max)
            book(person, place + 1, weeks: later...later + 2, .percentage(30), .soft)
        }
        // Too much for one person.
        if place % 10 == 5 { book(person, place + 2, weeks: 2...3, .percentage(80), .hard) }
    }

    private func effort(_ place: Int, _ weeks: Int, of person: Person) -> Effort {
        switch place % 3 {
        case 0: .percentage(Double(40 + 20 * (place % 4)))
        case 1: .hoursPerDay(Double(4 + 2 * (place % 2)))
        default: .hours((person.capacity * Double(weeks + 1) * 0.6).rounded())
        }
    }

    private mutating func book(
        _ person: Person, _ place: Int, weeks: ClosedRange<Int>, _ effort: Effort, _ commitment: Commitment
    ) {
        let project = projects[place % projects.count]
        // Half of them ask for a level, which not everybody has.
        let skills = project.skills.prefix(2).enumerated().map { $0 == 0 && place % 2 == 0 ? "\($1)>=3" : $1 }
        bookings.append(
            Booking(
                person: person.id, project: project.id, skills: skills, first: monday(ofWeek: weeks.lowerBound),
                last: friday(ofWeek: weeks.upperBound), decided: today.adding(days: -1 - random.index(below: 9)),
                effort: effort, commitment: commitment))
    }

    /// Week 0 is that of the last day.
    private func monday(ofWeek week: Int) -> CivilDate {
        // 1970-01-01 was a Thursday.
        let weekday = ((today.daysSinceEpoch + 3) % 7 + 7) % 7
        return today.adding(days: week * 7 - weekday)
    }

    private func friday(ofWeek week: Int) -> CivilDate { monday(ofWeek: week).adding(days: 4) }
}
