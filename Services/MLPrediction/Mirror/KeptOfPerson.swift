import Contracts
import Foundation
import Ledger
import Synchronization

/// What questions want to know of a person and what does not change between them: free time day by day, and when which skill
/// was last used. Worked out when first asked for, for the state of time and bookings that it was made with.
final class KeptOfPerson: Sendable {
    private struct Kept {
        var calendar: FreeCalendar?
        var skills: SkillUse?
    }

    private let kept = Mutex(Kept())

    func calendar(around today: CivilDate, _ make: () -> FreeCalendar) -> FreeCalendar {
        kept.withLock { kept in
            if let known = kept.calendar, known.isFresh(on: today) { return known }
            let made = make()
            kept.calendar = made
            return made
        }
    }

    func skills(_ make: () -> SkillUse) -> SkillUse {
        kept.withLock { kept in
            if let known = kept.skills { return known }
            let made = make()
            kept.skills = made
            return made
        }
    }
}

/// A person's capacity and free time day by day, so that any window of days is two subtractions.
struct FreeCalendar: Sendable {
    /// A week back, since other time zones are still there, and half a year ahead.
    private static let (back, days) = (7, 7 + 189)

    private let first: CivilDate
    /// Minutes of capacity (x) and of free time (y) of all days before each day, and after the last: side by side, since a window
    /// asks for both, of thousands of people.
    private let minutes: [SIMD2<Int32>]
    /// Of moments after this one everything that is known counts, so that they are all alike.
    let settledAt: Date

    static func window(around today: CivilDate) -> DayWindow {
        DayWindow(today.adding(days: -back), today.adding(days: days - back - 1))
    }

    /// - Parameters:
    ///   - days: computed for a moment later than `settledAt`.
    init(_ days: PersonDays, settledAt: Date) {
        first = days.window.first
        self.settledAt = settledAt
        var minutes: [SIMD2<Int32>] = [.zero]
        minutes.reserveCapacity(days.window.count + 1)
        for place in 0..<days.window.count {
            minutes.append(minutes[place] &+ SIMD2(Int32(days.capacity[place]), Int32(days.free(at: place))))
        }
        self.minutes = minutes
    }

    /// Whether it still reaches far enough.
    func isFresh(on today: CivilDate) -> Bool {
        let passed = today.daysSinceEpoch - first.daysSinceEpoch - Self.back
        return (0...Self.back).contains(passed)
    }

    /// Percent of the capacity that is free; nil when the window is not covered.
    func freePercent(_ window: DayWindow) -> Double? {
        let start = window.first.daysSinceEpoch - first.daysSinceEpoch
        let end = start + window.count
        guard start >= 0, end < minutes.count else { return nil }
        let within = minutes[end] &- minutes[start]
        return Utilisation.percent(Int(within.y), of: Int(within.x)) ?? 0
    }
}

/// When a person finished work that needed a skill.
struct SkillUse: Sendable {
    /// By skill number, ascending.
    private var completions: [Int32: [Date]] = [:]

    init(_ bookings: PersonBookings?) {
        bookings?.forEachFinished { booking, completedAt in
            for skill in booking.skills { completions[skill, default: []].append(completedAt) }
        }
        for skill in completions.keys { completions[skill]?.sort() }
    }

    /// The last time before a moment; nil when there was none.
    func last(_ skill: Int32, before moment: Date) -> Date? {
        completions[skill]?.last { $0 < moment }
    }
}
