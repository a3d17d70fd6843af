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

    /// What is kept and still reaches far enough.
    func calendar(freshOn today: CivilDate) -> FreeCalendar? {
        kept.withLock { kept in kept.calendar.flatMap { $0.isFresh(on: today) ? $0 : nil } }
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
/// @unchecked Sendable: nothing writes to the memory after `init`.
final class FreeCalendar: @unchecked Sendable {
    /// A week back, since other time zones are still there, and half a year ahead.
    private static let (back, days) = (7, 7 + 189)

    /// By a plain pointer, good only while the calendar is alive.
    struct Minutes {
        fileprivate let first: Int
        /// Of capacity (x) and of free time (y) of all days before each day, and after the last: side by side, since a window
        /// asks for both, of thousands of people.
        fileprivate let sums: UnsafePointer<SIMD2<Int32>>
        /// Of moments after this one everything that is known counts, so that they are all alike.
        fileprivate let settledAt: Date

        /// Percent of the capacity that is free; nil when the window is not covered, and for a moment before everything settled.
        @inline(__always)
        func freePercent(_ window: DayWindow, at moment: Date) -> Double? {
            let start = window.first.daysSinceEpoch - first
            let end = start + window.count
            guard moment > settledAt, start >= 0, end <= FreeCalendar.days else { return nil }
            let within = sums[end] &- sums[start]
            return Utilisation.percent(Int(within.y), of: Int(within.x)) ?? 0
        }
    }

    let minutes: Minutes

    static func window(around today: CivilDate) -> DayWindow {
        DayWindow(today.adding(days: -back), today.adding(days: days - back - 1))
    }

    /// - Parameters:
    ///   - days: of ``window(around:)``, computed for a moment later than `settledAt`.
    init(_ days: PersonDays, settledAt: Date) {
        precondition(days.window.count == Self.days, "a calendar is of the window around a day")
        let sums = UnsafeMutablePointer<SIMD2<Int32>>.allocate(capacity: Self.days + 1)
        sums.initialize(to: .zero)
        for place in 0..<Self.days {
            let day = SIMD2(Int32(days.capacity[place]), Int32(days.free(at: place)))
            (sums + place + 1).initialize(to: sums[place] &+ day)
        }
        minutes = Minutes(first: days.window.first.daysSinceEpoch, sums: UnsafePointer(sums), settledAt: settledAt)
    }

    deinit { minutes.sums.deallocate() }

    /// Whether it still reaches far enough.
    func isFresh(on today: CivilDate) -> Bool {
        let passed = today.daysSinceEpoch - minutes.first - Self.back
        return (0...Self.back).contains(passed)
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

    /// The last time at all; nil when there was none.
    func last(_ skill: Int32) -> Date? { completions[skill]?.last }

    /// The last time before a moment; nil when there was none.
    func last(_ skill: Int32, before moment: Date) -> Date? {
        completions[skill]?.last { $0 < moment }
    }
}
