public import Contracts

/// The days that a booking reaches over.
public struct Extent: Hashable, Sendable {
    public let first: CivilDate
    /// nil for a booking that goes on without an end.
    public let last: CivilDate?

    /// The days of it that are in `window`; nil when there are none.
    public func days(in window: DayWindow) -> DayWindow? {
        DayWindow(first, last ?? .latest).overlap(with: window)
    }
}

extension WorkingTime {
    /// The longest that hours without an end last: what is not done within ten years stands on the days of these.
    static let longestOpenEnded = 3_653

    /// The days of a booking. Without an end, hours last as long as the person's capacity at the stated percentage (or at the
    /// stated hours a day, or else all of it) makes them last; other efforts go on until they are completed.
    public func extent(of booking: Booking) -> Extent {
        if let last = booking.last { return Extent(first: booking.first, last: last) }
        guard case .minutes(let minutes) = booking.effort.way else {
            return Extent(first: booking.first, last: booking.completed.map { max($0, booking.first) })
        }
        let last = lastDay(of: minutes, at: Pace(booking.effort), from: booking.first.daysSinceEpoch)
        return Extent(first: booking.first, last: booking.first.adding(days: last))
    }

    /// How fast hours without an end are worked off.
    private enum Pace {
        case share(Double)
        case minutesPerDay(Int)

        init(_ effort: Effort) {
            if let minutes = effort.minutesPerDay, minutes > 0 {
                self = .minutesPerDay(minutes)
            } else if let percentage = effort.percentage, percentage > 0 {
                self = .share(percentage / 100)
            } else {
                self = .share(1)
            }
        }

        func done(on minutes: Int) -> Double {
            switch self {
            case .share(let share): Double(minutes) * share
            case .minutesPerDay(let stated): minutes > 0 ? Double(stated) : 0
            }
        }
    }

    /// Days after the first.
    private func lastDay(of minutes: Int, at pace: Pace, from first: Int) -> Int {
        guard minutes > 0, contracts.contains(where: { $0.pattern.weeklyMinutes > 0 }) else { return 0 }
        var days = DayGrid()
        var (done, start, step) = (0.0, 0, 64)
        var hasWorked = false
        while start < Self.longestOpenEnded {
            let end = min(start + step, Self.longestOpenEnded)
            days.fill(self, first: first + start, last: min(first + end - 1, CivilDate.latest.daysSinceEpoch))
            for place in 0..<days.count where days.nominal[place] > 0 {
                hasWorked = true
                done += pace.done(on: days.nominal[place])
                // Sums of fractions are a hair off.
                if done >= Double(minutes) - 1e-6 { return start + place }
            }
            (start, step) = (end, step * 4)
        }
        return hasWorked ? Self.longestOpenEnded - 1 : 0
    }
}
