import Contracts
import Ledger

/// How much of a person's time other work takes in a window, as the ledger computes it and reports show it.
struct FreeTime: Sendable, Equatable {
    /// Minutes.
    let capacity: Int
    /// Minutes of hard bookings; more than the capacity when the person is over-booked.
    let taken: Int
    /// What they leave, day by day.
    let free: Int
    /// From the first to the last day of employment in the window; nil when there is none.
    let present: DayWindow?
    /// The days between two spells of employment, within ``present``.
    let gaps: [DayWindow]

    init(_ days: PersonDays) {
        let places = 0..<days.window.count
        capacity = days.capacity.reduce(0, +)
        taken = days.hard.reduce(0, +)
        free = days.free(places)
        let employed = places.filter { days.employed[$0] }
        present = employed.first.map { DayWindow(days.window.day($0), days.window.day(employed.last ?? $0)) }
        gaps = zip(employed, employed.dropFirst()).filter { $0 + 1 < $1 }
            .map { DayWindow(days.window.day($0 + 1), days.window.day($1 - 1)) }
    }

    var capacityHours: Double { Minutes.hours(capacity) }

    /// Of the capacity; above 100 when over-booked, and all of it where there is none.
    var takenPercent: Double { Utilisation.percent(taken, of: capacity) ?? 100 }

    /// Of the capacity, 0…100.
    var freePercent: Double { Utilisation.percent(free, of: capacity) ?? 0 }
}
