import Contracts

/// Lays a booking's minutes on its days. Tables are by the minutes of a day, so that a booking of a year is divided once for
/// each kind of day and not once for each day; they are used again for the next booking.
struct Spread: Sendable {
    private var daysWith = [Int](repeating: 0, count: Minutes.mostOfDay + 1)
    private var share = [Int](repeating: 0, count: Minutes.mostOfDay + 1)
    private var remainder = [Int](repeating: 0, count: Minutes.mostOfDay + 1)
    private var exact = [Double](repeating: 0, count: Minutes.mostOfDay + 1)
    /// The minutes of a day that occur, each once.
    private var kinds: [Int] = []

    /// Calls `each` for every day of `part` that has some of the booking's minutes, with the exact share beside the whole
    /// minutes, also on days outside employment.
    /// - Parameters:
    ///   - way: how a booking's effort counts (``Extent/way``).
    ///   - extent: the whole booking's days. Where they reach beyond `days`, every week there is like the first or the last of `days`.
    ///   - part: the days asked about, within `extent` and `days`.
    @inline(__always)
    mutating func lay(
        _ way: Effort.Way, extent: ClosedRange<Int>, part: ClosedRange<Int>, on days: DayGrid,
        _ each: (_ day: Int, _ minutes: Int, _ exact: Double) -> Void
    ) {
        let origin = days.origin
        switch way {
        case .nothing: return
        case .percentage(let percentage):
            let rate = percentage / 100
            for day in part {
                let nominal = days.nominal[day - origin]
                guard nominal > 0 else { continue }
                let exact = Double(nominal) * rate
                each(day, DayShares.minutes(exact), exact)
            }
        case .minutesPerDay(let minutes):
            for day in part where days.nominal[day - origin] > 0 { each(day, minutes, Double(minutes)) }
        case .minutes(let minutes):
            guard var last = divide(minutes, over: extent, of: days) else {
                // No working day: hours never vanish, they stand on the first day.
                if part.contains(extent.lowerBound) { each(extent.lowerBound, minutes, Double(minutes)) }
                return
            }
            last.days -= takenBefore(last, days, extent)
            for day in max(extent.lowerBound, origin)...part.upperBound {
                let nominal = days.nominal[day - origin]
                guard nominal > 0 else { continue }
                var minutes = share[nominal]
                if remainder[nominal] > last.remainder {
                    minutes += 1
                } else if remainder[nominal] == last.remainder, last.days > 0 {
                    minutes += 1
                    last.days -= 1
                }
                if day >= part.lowerBound, minutes > 0 || exact[nominal] > 0 { each(day, minutes, exact[nominal]) }
            }
        }
    }

    /// Shares by largest remainder, for each kind of day.
    /// - Returns: the smallest remainder that still gets a minute more, and how many days with it do; nil without a working day.
    private mutating func divide(
        _ minutes: Int, over extent: ClosedRange<Int>, of days: DayGrid
    ) -> (remainder: Int, days: Int)? {
        for kind in kinds { daysWith[kind] = 0 }
        kinds.removeAll(keepingCapacity: true)
        var whole = 0
        let before = daysBefore(days, extent)
        let after = extent.upperBound - days.origin - days.count + 1
        for place in max(0, extent.lowerBound - days.origin)...min(days.count - 1, extent.upperBound - days.origin) {
            note(days.nominal[place], days: 1, &whole)
        }
        if before > 0 {
            for place in 0..<7 { note(days.nominal[place], days: Self.weeks(of: before, from: 7 - place), &whole) }
        }
        if after > 0 {
            for place in 1...7 {
                note(days.nominal[days.count - 8 + place], days: Self.weeks(of: after, from: place), &whole)
            }
        }
        guard whole > 0 else { return nil }
        var rest = minutes
        for kind in kinds {
            (share[kind], remainder[kind]) = (minutes * kind).quotientAndRemainder(dividingBy: whole)
            exact[kind] = Double(minutes) * Double(kind) / Double(whole)
            rest -= share[kind] * daysWith[kind]
        }
        guard rest > 0 else { return (Int.max, 0) }
        if kinds.count > 1 { kinds.sort { remainder[$0] > remainder[$1] } }
        // Kinds with the same remainder share what is left in order of time.
        var index = 0
        while index < kinds.count {
            let least = remainder[kinds[index]]
            var count = 0
            while index < kinds.count, remainder[kinds[index]] == least {
                count += daysWith[kinds[index]]
                index += 1
            }
            if rest <= count { return (least, rest) }
            rest -= count
        }
        return (Int.max, 0)
    }

    private mutating func note(_ nominal: Int, days: Int, _ whole: inout Int) {
        guard nominal > 0, days > 0 else { return }
        if daysWith[nominal] == 0 { kinds.append(nominal) }
        daysWith[nominal] += days
        whole += nominal * days
    }

    /// Of the days that get one of the last minutes, in order of time: how many are before `days` begin.
    private func takenBefore(_ last: (remainder: Int, days: Int), _ days: DayGrid, _ extent: ClosedRange<Int>) -> Int {
        let before = daysBefore(days, extent)
        guard before > 0, last.days > 0 else { return 0 }
        let alike = (0..<7).reduce(0) { count, place in
            let nominal = days.nominal[place]
            guard nominal > 0, remainder[nominal] == last.remainder else { return count }
            return count + Self.weeks(of: before, from: 7 - place)
        }
        return min(alike, last.days)
    }

    /// Days of the extent that are before those walked.
    private func daysBefore(_ days: DayGrid, _ extent: ClosedRange<Int>) -> Int { days.origin - extent.lowerBound }

    /// How many of the days 1...`days` are every seventh from `first` on.
    private static func weeks(of days: Int, from first: Int) -> Int { days < first ? 0 : (days - first) / 7 + 1 }
}
