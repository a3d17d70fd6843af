import Contracts
import Ledger

extension DayWindow {
    /// The days in which the work of a request is to be done. Without a start they begin on the day of the decision; without an
    /// end they are as many whole weeks as the hours fill at the person's full capacity.
    init(start: CivilDate?, end: CivilDate?, decidedOn day: CivilDate, hours: Double, weeklyHours: Double) {
        let first = Self.firstDay(start: start, end: end, decidedOn: day)
        if let end {
            self.init(first, end)
        } else {
            let weeks = weeklyHours > 0 ? min(520, max(1, (hours / weeklyHours).rounded(.up))) : 1
            self.init(first, first.adding(days: Int(weeks) * 7 - 1))
        }
    }

    static func firstDay(start: CivilDate?, end: CivilDate?, decidedOn day: CivilDate) -> CivilDate {
        start ?? end.map { min($0, day) } ?? day
    }
}
