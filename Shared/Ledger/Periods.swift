import Contracts

/// Into which parts a window's figures are cut.
public enum PeriodLength: String, Hashable, Sendable, CaseIterable {
    case day
    /// From Monday to Sunday.
    case week
    case month
    case total
}

/// A part of a window: its first and last are cut off where the window begins and ends.
public struct Period: Hashable, Sendable {
    public let days: DayWindow
    /// The places of its days in the window.
    public let places: Range<Int>
}

extension DayWindow {
    /// In order of time; together they are the window.
    public func periods(_ length: PeriodLength) -> [Period] {
        var periods: [Period] = []
        var start = 0
        while start < count {
            let next = min(count, start + daysLeft(in: length, from: day(start)))
            periods.append(Period(days: DayWindow(day(start), day(next - 1)), places: start..<next))
            start = next
        }
        return periods
    }

    /// To the end of the day's period, the day itself among them.
    private func daysLeft(in length: PeriodLength, from day: CivilDate) -> Int {
        switch length {
        case .day: return 1
        case .week: return 7 - day.weekday
        case .total: return count
        case .month:
            let (year, month, _) = day.components
            let next = CivilDate(year: month == 12 ? year + 1 : year, month: month == 12 ? 1 : month + 1, day: 1)
            return (next?.daysSinceEpoch ?? CivilDate.latest.daysSinceEpoch + 1) - day.daysSinceEpoch
        }
    }
}
