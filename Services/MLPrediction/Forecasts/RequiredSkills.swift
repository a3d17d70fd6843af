import Contracts
import Foundation

/// Skills that are asked for, whatever their spelling, some with a least level.
struct RequiredSkills: Sendable {
    private struct Requirement: Sendable {
        /// Folded.
        let name: String
        let number: Int32
        let leastLevel: Int?
    }

    private let known: [Requirement]
    /// Skills that no person has and no project requires, folded and sorted.
    let unknown: [String]

    /// - Parameter levels: those of other skills do not matter.
    init(_ names: [String], levels: [String: Int] = [:], in skillNames: SkillNames) {
        let levels = Dictionary(levels.map { ($0.folded, $1) }, uniquingKeysWith: max)
        var known: [Requirement] = []
        var unknown: [String] = []
        for name in Set(names.map(\.folded)).sorted() {
            if let number = skillNames.known(folded: name), skillNames.isInUse(number) {
                known.append(Requirement(name: name, number: number, leastLevel: levels[name]))
            } else {
                unknown.append(name)
            }
        }
        self.known = known
        self.unknown = unknown
    }

    private var count: Int { known.count + unknown.count }

    /// Whether the person had all of them by the day, at their least levels.
    func areHeld(by person: KnownPerson, on day: CivilDate) -> Bool {
        unknown.isEmpty && known.allSatisfy { held($0, person, day) != nil }
    }

    /// Share of them that the person had by the day at their least levels, 0…1; 1 when none is required.
    func match(of person: KnownPerson, on day: CivilDate) -> Double {
        guard count > 0 else { return 1 }
        return Double(known.count { held($0, person, day) != nil }) / Double(count)
    }

    /// How well the person has them, 0…1 (``AlternativeOption/skillFit``); 1 when none is required.
    /// - Parameter bookings: everybody's, of which the person's tell when each skill was last used.
    func fit(
        of person: KnownPerson, at moment: Date, on day: CivilDate, _ bookings: [EmployeeID: PersonBookings]
    ) -> Double {
        guard count > 0 else { return 1 }
        let use = person.kept.skills { SkillUse(bookings[person.id]) }
        var sum = 0.0
        for required in known {
            guard let skill = held(required, person, day) else { continue }
            sum += Self.fit(level: skill.level, lastUse: use.last(required.number, before: moment), at: moment)
        }
        return sum / Double(count)
    }

    /// How well a person has one skill: half for having it, the rest by level and by how lately it was used.
    @inline(__always)
    private static func fit(level: Int?, lastUse: Date?, at moment: Date) -> Double {
        let years = lastUse.map { moment.timeIntervalSince($0) / (365.25 * 86_400) }
        return 0.5 + 0.3 * Double(level ?? 3) / 5 + 0.2 * (years.map { exp2(-$0) } ?? 0)
    }

    /// What the person lacks, in words.
    func warnings(about person: KnownPerson, on day: CivilDate) -> [String] {
        let lacking = known.filter { required in
            !person.skills.contains { $0.number == required.number && ($0.since ?? day) <= day }
        }
        let isShort = !lacking.isEmpty || !unknown.isEmpty
        let tooLow = known.filter { required in
            held(required, person, day) == nil && !lacking.contains { $0.number == required.number }
        }
        return (isShort ? ["The person does not have all required skills on record."] : [])
            + tooLow.map {
                "The person does not have the required skill “\($0.name)” at level \($0.leastLevel ?? 1) or above."
            }
    }

    /// An unknown level is none that is enough.
    private func held(_ required: Requirement, _ person: KnownPerson, _ day: CivilDate) -> KnownPerson.Skill? {
        person.skills.first {
            $0.number == required.number && ($0.since ?? day) <= day && ($0.level ?? 0) >= (required.leastLevel ?? 0)
        }
    }
}

extension RequiredSkills {
    /// The skills as everybody has them, by place in ``PeopleTable/people``: what ``areHeld(by:on:)`` and ``fit(of:at:on:_:)`` say, for
    /// thousands.
    struct OfPeople {
        private let skills: RequiredSkills
        private let people: PeopleTable
        private let bookings: [EmployeeID: PersonBookings]
        private let day: CivilDate
        private let columns: [SkillColumn]
        private let looks: [Look]

        private struct Look {
            let entries: UnsafePointer<SkillColumn.Entry>
            let leastLevel: Int8
            let day: Int32

            /// Nil where the person's record alone tells.
            @inline(__always)
            func isHeld(at place: Int) -> Bool? {
                let entry = entries + place
                switch entry.pointee.standing {
                case .absent: return false
                case .onRecord: return entry.pointee.since <= day && max(0, entry.pointee.level) >= leastLevel
                case .repeated: return nil
                }
            }
        }

        init(
            _ skills: RequiredSkills, _ people: PeopleTable, _ bookings: [EmployeeID: PersonBookings],
            on day: CivilDate
        ) {
            self.skills = skills
            self.people = people
            self.bookings = bookings
            self.day = day
            columns = skills.known.map { required in
                people.kept.skill(required.number) { SkillColumn(required.number, of: people.people, bookings) }
            }
            looks = zip(skills.known, columns).map { required, column in
                Look(
                    entries: column.base, leastLevel: Int8(clamping: required.leastLevel ?? 0),
                    day: Int32(day.daysSinceEpoch))
            }
        }

        func areHeld(at place: Int) -> Bool {
            guard skills.unknown.isEmpty else { return false }
            for look in looks {
                guard let isHeld = look.isHeld(at: place) else {
                    return skills.areHeld(by: people.people[place], on: day)
                }
                if !isHeld { return false }
            }
            return true
        }

        /// - Parameter moment: as of which last uses count.
        func fit(at place: Int, moment: Date) -> Double {
            guard skills.count > 0 else { return 1 }
            var sum = 0.0
            for look in looks {
                let entry = look.entries[place]
                guard let isHeld = look.isHeld(at: place), entry.lastUse < moment else {
                    return skills.fit(of: people.people[place], at: moment, on: day, bookings)
                }
                guard isHeld else { continue }
                sum += RequiredSkills.fit(
                    level: entry.level < 0 ? nil : Int(entry.level),
                    lastUse: entry.lastUse == .distantPast ? nil : entry.lastUse, at: moment)
            }
            return sum / Double(skills.count)
        }
    }
}
