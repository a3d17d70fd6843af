public import Contracts

/// How much of a day is off.
public enum TimeOff: Hashable, Sendable {
    case wholeDay
    case minutes(Int)

    /// nil minutes mean the whole day.
    public init(minutes: Int?) { self = minutes.map { .minutes(max(0, $0)) } ?? .wholeDay }

    @inline(__always)
    func leaves(of minutes: Int) -> Int {
        switch self {
        case .wholeDay: 0
        case .minutes(let off): max(0, minutes - off)
        }
    }
}

public struct Holiday: Hashable, Sendable {
    public let date: CivilDate
    public let off: TimeOff

    public init(_ date: CivilDate, off: TimeOff = .wholeDay) {
        self.date = date
        self.off = off
    }
}

/// The holidays of one place.
public struct HolidayCalendar: Hashable, Sendable {
    /// In order of time.
    public let holidays: [Holiday]

    public init(_ holidays: [Holiday]) {
        self.holidays = holidays.sorted { $0.date < $1.date }
    }

    /// Those from a day on.
    func holidays(from day: Int) -> ArraySlice<Holiday> {
        var (low, high) = (0, holidays.count)
        while low < high {
            let middle = (low + high) / 2
            if holidays[middle].date.daysSinceEpoch < day { low = middle + 1 } else { high = middle }
        }
        return holidays[low...]
    }
}
