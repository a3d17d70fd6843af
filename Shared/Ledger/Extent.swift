public import Contracts

/// The days that a booking reaches over.
public struct Extent: Hashable, Sendable {
    public let first: CivilDate
    /// nil for a booking that goes on without an end.
    public let last: CivilDate?
    /// How the effort counts on these days: as stated, but hours that never end (``WorkingTime/neverEnds(_:)``) at their pace.
    public let way: Effort.Way

    /// The days of it that are in `window`; nil when there are none.
    public func days(in window: DayWindow) -> DayWindow? {
        DayWindow(first, last ?? .latest).overlap(with: window)
    }
}

extension WorkingTime {
    /// The days of a booking. Without an end, hours last as long as the person's capacity at the stated percentage (or at the
    /// stated hours a day, or else all of it) makes them last; other efforts go on until they are completed, and so do hours that
    /// would last longer than any booking may.
    public func extent(of booking: Booking) -> Extent {
        let (first, way) = (booking.first, booking.effort.way)
        if let last = booking.last { return Extent(first: first, last: last, way: way) }
        let completed = booking.completed.map { max($0, first) }
        guard case .minutes(let minutes) = way else { return Extent(first: first, last: completed, way: way) }
        let pace = Pace(booking.effort)
        guard let last = lastDay(of: minutes, at: pace, from: first.daysSinceEpoch) else {
            return Extent(first: first, last: completed, way: pace.way)
        }
        return Extent(first: first, last: first.adding(days: last), way: way)
    }

    /// Whether the booking states hours without an end that are not worked off within the longest time that a booking may have.
    public func neverEnds(_ booking: Booking) -> Bool {
        guard booking.last == nil, case .minutes(let minutes) = booking.effort.way else { return false }
        return lastDay(of: minutes, at: Pace(booking.effort), from: booking.first.daysSinceEpoch) == nil
    }

    /// How fast hours without an end are worked off.
    private enum Pace {
        case percentage(Double)
        case minutesPerDay(Int)

        init(_ effort: Effort) {
            if let minutes = effort.minutesPerDay, minutes > 0 {
                self = .minutesPerDay(minutes)
            } else if let percentage = effort.percentage, percentage > 0 {
                self = .percentage(percentage)
            } else {
                self = .percentage(100)
            }
        }

        var way: Effort.Way {
            switch self {
            case .percentage(let percentage): .percentage(percentage)
            case .minutesPerDay(let minutes): .minutesPerDay(minutes)
            }
        }

        func done(on minutes: Int) -> Double {
            switch self {
            case .percentage(let percentage): Double(minutes) * (percentage / 100)
            case .minutesPerDay(let stated): minutes > 0 ? Double(stated) : 0
            }
        }
    }

    /// Days after the first; nil when the minutes never end.
    private func lastDay(of minutes: Int, at pace: Pace, from first: Int) -> Int? {
        guard minutes > 0, contracts.contains(where: { $0.pattern.weeklyMinutes > 0 }) else { return 0 }
        var days = DayGrid()
        var (done, start, step) = (0.0, 0, 64)
        var hasWorked = false
        while start < BookingLimits.longestDays {
            let end = min(start + step, BookingLimits.longestDays)
            days.fill(self, first: first + start, last: min(first + end - 1, CivilDate.latest.daysSinceEpoch))
            for place in 0..<days.count where days.nominal[place] > 0 {
                hasWorked = true
                done += pace.done(on: days.nominal[place])
                // Sums of fractions are a hair off.
                if done >= Double(minutes) - 1e-6 { return start + place }
            }
            (start, step) = (end, step * 4)
        }
        return hasWorked ? nil : 0
    }
}
