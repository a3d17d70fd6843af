import Basics
import Contracts
import Foundation
import Synchronization

/// What questions want to know of everybody and what does not change between them: people's rows, and who has which skill. Worked out
/// when first asked for, for the people as they are.
final class KeptOfPeople: Sendable {
    private struct State {
        /// Of the day for which they were made.
        var rows: (today: CivilDate, rows: PeopleRows)?
        var skills = RecentEntries<Int32, SkillColumn>(maximumCount: KeptOfPeople.mostSkills)
    }

    private let state = Mutex(State())

    /// Questions ask for a few skills each, again and again for the same.
    private static let mostSkills = 64

    func rows(on today: CivilDate, _ make: () -> PeopleRows) -> PeopleRows {
        if let known = state.withLock({ $0.rows }), known.today == today { return known.rows }
        // Outside of the lock: of two questions that come at once each makes them, and both make the same.
        let made = make()
        state.withLock { $0.rows = (today, made) }
        return made
    }

    /// More is kept of single people than when the rows were made.
    func forgetRows() { state.withLock { $0.rows = nil } }

    func skill(_ number: Int32, _ make: () -> SkillColumn) -> SkillColumn {
        if let known = state.withLock({ $0.skills.use(number) }) { return known }
        let made = make()
        state.withLock { $0.skills.insert(made, for: number) }
        return made
    }
}

/// Who has one skill, in the order of ``PeopleTable/people``.
/// @unchecked Sendable: nothing writes to the memory after `init`.
final class SkillColumn: @unchecked Sendable {
    struct Entry {
        /// 1…5; -1 when unknown.
        let level: Int8
        let standing: Standing
        /// Days since the epoch; the least number where it is not known.
        let since: Int32
        /// When the person last finished work with it; the distant past for never.
        let lastUse: Date
    }

    enum Standing: UInt8 {
        case absent, onRecord
        /// On record more than once: only the record itself tells.
        case repeated
    }

    let base: UnsafePointer<Entry>

    init(_ number: Int32, of people: [KnownPerson], _ bookings: [EmployeeID: PersonBookings]) {
        let entries = UnsafeMutablePointer<Entry>.allocate(capacity: max(1, people.count))
        for (place, person) in people.enumerated() {
            let own = person.skills.filter { $0.number == number }
            let use = own.isEmpty ? nil : person.kept.skills { SkillUse(bookings[person.id]) }
            (entries + place).initialize(
                to: Entry(
                    level: Int8(clamping: own.first?.level ?? -1),
                    standing: own.isEmpty ? .absent : own.count == 1 ? .onRecord : .repeated,
                    since: own.first?.since.map { Int32($0.daysSinceEpoch) } ?? .min,
                    lastUse: use?.last(number) ?? .distantPast))
        }
        base = UnsafePointer(entries)
    }

    deinit { base.deallocate() }
}
