public import Contracts

/// Days in a row, the first and the last included.
public struct DayWindow: Hashable, Sendable {
    public let first: CivilDate
    public let last: CivilDate

    /// A last day before the first is taken as the first.
    public init(_ first: CivilDate, _ last: CivilDate) {
        self.first = first
        self.last = max(first, last)
    }

    public var count: Int { last.daysSinceEpoch - first.daysSinceEpoch + 1 }

    public func contains(_ day: CivilDate) -> Bool { first <= day && day <= last }

    public func overlap(with other: DayWindow) -> DayWindow? {
        let (from, to) = (max(first, other.first), min(last, other.last))
        return from <= to ? DayWindow(from, to) : nil
    }

    /// Day `index` of the window, counted from 0.
    public func day(_ index: Int) -> CivilDate { first.adding(days: index) }

    /// The place of a day, negative before the window.
    public func index(of day: CivilDate) -> Int { day.daysSinceEpoch - first.daysSinceEpoch }
}

extension CivilDate {
    /// 0 on Mondays to 6 on Sundays.
    public var weekday: Int { Weekday.of(daysSinceEpoch) }

    /// Of the calendar.
    public static let earliest = CivilDate(year: 1, month: 1, day: 1) ?? CivilDate(daysSinceEpoch: 0)
    public static let latest = CivilDate(year: 9999, month: 12, day: 31) ?? CivilDate(daysSinceEpoch: 0)
}

enum Weekday {
    /// 1970-01-01 was a Thursday.
    static func of(_ daysSinceEpoch: Int) -> Int {
        let weekday = (daysSinceEpoch + 3) % 7
        return weekday < 0 ? weekday + 7 : weekday
    }

    /// 0..<parts, another one each day.
    static func turn(_ daysSinceEpoch: Int, of parts: Int) -> Int {
        let turn = daysSinceEpoch % parts
        return turn < 0 ? turn + parts : turn
    }
}

/// Hours on the wire are minutes here.
public enum Minutes {
    /// The most that a day of a pattern has: a week of 168 hours on five days.
    public static let mostOfDay = 2_016
    /// More than a booking may state (a million hours), so that sums never overflow.
    static let most = 60 * 10_000_000

    /// The nearest whole number of minutes; halves away from zero, and 0 for what is no number.
    public static func of(hours: Double) -> Int {
        let minutes = (hours * 60).rounded()
        guard minutes.isFinite else { return 0 }
        return Int(min(max(minutes, 0), Double(most)))
    }

    public static func hours(_ minutes: Int) -> Double { Double(minutes) / 60 }
}
