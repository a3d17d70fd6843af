/// How much of each working day the work takes, as its decision states it.
///
/// Working weeks have five equal days, of the person's weekly hours under the contract in force at the decision.
enum Pace: Hashable, BitwiseCopyable {
    /// Of the person's working day, above 0.
    case percent(Double)
    /// Above 0.
    case hoursPerDay(Double)

    /// Of two statements the hours per day count, as in bookings (docs/planning.md#a-booking); nil where nothing is stated.
    /// - Parameter readsHoursPerDay: false for models that learned from rows without them.
    init?(percent: Double?, hoursPerDay: Double?, readsHoursPerDay: Bool) {
        if readsHoursPerDay, let hoursPerDay {
            self = .hoursPerDay(hoursPerDay)
        } else if let percent {
            self = .percent(percent)
        } else {
            return nil
        }
    }

    init?(_ decision: Decision, readsHoursPerDay: Bool) {
        self.init(
            percent: decision.allocationPercent, hoursPerDay: decision.hoursPerDay, readsHoursPerDay: readsHoursPerDay)
    }

    /// Of the person's working day; of a usual one where a contract has no hours.
    func percent(weeklyHours: Double) -> Double {
        switch self {
        case .percent(let percent): return percent
        case .hoursPerDay(let hours):
            let week = weeklyHours > 0 ? weeklyHours : EmployeeFacts.usualWeeklyCapacityHours
            return hours / (week / 5) * 100
        }
    }

    func hoursPerDay(weeklyHours: Double) -> Double {
        switch self {
        case .percent(let percent): percent / 100 * weeklyHours / 5
        case .hoursPerDay(let hours): hours
        }
    }
}
