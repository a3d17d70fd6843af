import Contracts
import Forecasting
import Ledger

/// One person in the form in which thousands are looked through for a question: nothing to fold, to parse or to look up.
///
/// An object, so that to hand a person on is to hand on one reference; it never changes, and another takes its place.
final class KnownPerson: Sendable {
    struct Skill: Sendable {
        /// Of ``SkillNames``.
        let number: Int32
        /// 1…5; nil when unknown.
        let level: Int?
        let since: CivilDate?
    }

    let id: EmployeeID
    let name: String
    let department: DepartmentID?
    let skills: [Skill]
    let time: WorkingTime
    let inHistory: HistoryPerson
    /// What was worked out of the person's time and bookings as they are.
    let kept: KeptOfPerson

    init(
        id: EmployeeID, name: String, department: DepartmentID?, skills: [Skill], time: WorkingTime,
        inHistory: HistoryPerson = .unknown, kept: KeptOfPerson = KeptOfPerson()
    ) {
        self.id = id
        self.name = name
        self.department = department
        self.skills = skills
        self.time = time
        self.inHistory = inHistory
        self.kept = kept
    }

    /// The person after a change of their bookings, or of their time where it is given.
    func renewed(time: WorkingTime? = nil) -> KnownPerson {
        KnownPerson(
            id: id, name: name, department: department, skills: skills, time: time ?? self.time, inHistory: inHistory)
    }

    /// The person as the history knows them now.
    func met(_ inHistory: HistoryPerson) -> KnownPerson {
        KnownPerson(
            id: id, name: name, department: department, skills: skills, time: time, inHistory: inHistory, kept: kept)
    }
}

/// Everybody, in one array.
struct PeopleTable: Sendable {
    private(set) var people: [KnownPerson] = []
    private var places: [EmployeeID: Int] = [:]
    private var personCount = 0
    /// Of the people as they are.
    private(set) var kept = KeptOfPeople()

    subscript(id: EmployeeID) -> KnownPerson? { places[id].map { people[$0] } }

    func place(of id: EmployeeID) -> Int? { places[id] }

    /// - Parameter today: as of ``PeopleRows/init(_:today:)``.
    func rows(on today: CivilDate) -> PeopleRows { kept.rows(on: today) { PeopleRows(people, today: today) } }

    mutating func put(_ person: KnownPerson) {
        kept = KeptOfPeople()
        if let place = places[person.id] {
            people[place] = person
        } else {
            places[person.id] = people.count
            people.append(person)
        }
    }

    mutating func remove(_ id: EmployeeID) {
        guard let place = places.removeValue(forKey: id) else { return }
        kept = KeptOfPeople()
        let last = people.removeLast()
        if place < people.count {
            people[place] = last
            places[last.id] = place
        }
    }

    /// The person's bookings have changed.
    mutating func renew(_ id: EmployeeID) {
        guard let place = places[id] else { return }
        kept = KeptOfPeople()
        people[place] = people[place].renewed()
    }

    /// Everybody's time or bookings may have changed.
    mutating func renewAll(_ time: (EmployeeID) -> WorkingTime?) {
        kept = KeptOfPeople()
        for place in people.indices {
            people[place] = people[place].renewed(time: time(people[place].id))
        }
    }

    /// Looks people up in the history: those with a changed record, and all when the history has new people.
    mutating func meet(_ history: History, changed: Set<EmployeeID>) {
        guard history.personCount != personCount || !changed.isEmpty else { return }
        kept = KeptOfPeople()
        if history.personCount != personCount {
            personCount = history.personCount
            for place in people.indices {
                people[place] = people[place].met(history.person(people[place].id.description))
            }
        } else {
            for id in changed {
                guard let place = places[id] else { continue }
                people[place] = people[place].met(history.person(id.description))
            }
        }
    }
}
