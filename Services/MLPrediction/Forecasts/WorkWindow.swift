import Contracts

/// The days in which work is to be done, both included.
struct WorkWindow: Sendable, Equatable {
    let first: CivilDate
    let last: CivilDate

    init(first: CivilDate, last: CivilDate) {
        self.first = first
        self.last = max(first, last)
    }

    /// The window of a request. Without a start it begins on the day of the decision; without an end it is as many whole
    /// weeks as the hours fill at the person's full capacity.
    init(start: CivilDate?, end: CivilDate?, decidedOn day: CivilDate, hours: Double, weeklyCapacity: Double) {
        let first = Self.firstDay(start: start, end: end, decidedOn: day)
        if let end {
            self.init(first: first, last: end)
        } else {
            let weeks = weeklyCapacity > 0 ? min(520, max(1, (hours / weeklyCapacity).rounded(.up))) : 1
            self.init(first: first, last: first.adding(days: Int(weeks) * 7 - 1))
        }
    }

    static func firstDay(start: CivilDate?, end: CivilDate?, decidedOn day: CivilDate) -> CivilDate {
        start ?? end.map { min($0, day) } ?? day
    }

    /// Mondays to Fridays in the window; when there is none (a week-end's work), its days.
    var workingDays: Int {
        let days = weekdays
        return days > 0 ? days : last.daysSinceEpoch - first.daysSinceEpoch + 1
    }

    /// Hours the person's contract has in the window: a fifth of the week per working day.
    func capacityHours(weekly: Double) -> Double { weekly / 5 * Double(workingDays) }

    func overlap(_ other: WorkWindow) -> WorkWindow? {
        let (from, to) = (max(first, other.first), min(last, other.last))
        return from <= to ? WorkWindow(first: from, last: to) : nil
    }

    /// Mondays to Fridays, counted without walking over the days.
    private var weekdays: Int {
        Self.weekdays(before: last.daysSinceEpoch + 1) - Self.weekdays(before: first.daysSinceEpoch)
    }

    /// Monday-to-Friday days from 1969-12-29, a Monday, up to but without the given day.
    private static func weekdays(before day: Int) -> Int {
        let shifted = day + 3
        let week = (shifted >= 0 ? shifted : shifted - 6) / 7
        return week * 5 + min(5, shifted - week * 7)
    }
}
