public import Contracts

/// Where a booking's minutes are: `total = loaded + released + orphaned`, always.
public struct BookingAccount: Hashable, Sendable {
    /// On days of employment up to the completion.
    public private(set) var loaded = 0
    /// On days after the completion.
    public private(set) var released = 0
    /// On days outside employment: not counted as load until the booking or the employment is corrected.
    public private(set) var orphaned = 0
    /// Days of the booking on which the person would have working time, employed or not.
    public private(set) var workingDays = 0
    /// The working time of those days.
    public private(set) var workingMinutes = 0

    public var total: Int { loaded + released + orphaned }

    /// The effort as a share of the working time, in percent; nil without any.
    public var percentage: Double? {
        workingMinutes > 0 ? Double(total) / Double(workingMinutes) * 100 : nil
    }

    /// The effort on an average working day; nil without any.
    public var minutesPerDay: Double? { workingDays > 0 ? Double(total) / Double(workingDays) : nil }

    init() {}

    mutating func note(workingMinutes minutes: Int) {
        guard minutes > 0 else { return }
        workingDays += 1
        workingMinutes += minutes
    }

    mutating func note(_ minutes: Int, _ fate: Fate) {
        switch fate {
        case .loaded: loaded += minutes
        case .released: released += minutes
        case .orphaned: orphaned += minutes
        }
    }
}

/// What becomes of a booking's minutes on one day.
public enum Fate: Hashable, Sendable {
    case loaded
    case released
    case orphaned

    /// Finished work is released also on days outside employment.
    @inline(__always)
    static func of(_ day: Int, completed: Int, isEmployed: Bool) -> Fate {
        day > completed ? .released : isEmployed ? .loaded : .orphaned
    }
}

extension Booking {
    /// The last day that is loaded.
    var lastLoaded: Int { (completed ?? .latest).daysSinceEpoch }
}

extension WorkingTime {
    /// A booking's minutes on the days of `window`, whether the booking counts or not.
    /// - Parameter window: nil for all of it; a booking without an end is then reckoned for a year.
    public func account(of booking: Booking, in window: DayWindow? = nil) -> BookingAccount {
        var account = BookingAccount()
        forEachDay(of: booking, in: window) { _, nominal, minutes, fate in
            account.note(workingMinutes: nominal)
            account.note(minutes, fate)
        }
        return account
    }

    /// A booking's minutes on a day that load the person.
    public func load(of booking: Booking, on day: CivilDate) -> Int {
        account(of: booking, in: DayWindow(day, day)).loaded
    }

    /// A year stands for ever where a booking without an end has to be summed up.
    static let daysOfEndless = 366

    /// Every day of a booking in `window`, with the working time and the booking's minutes.
    func forEachDay(
        of booking: Booking, in window: DayWindow?,
        _ each: (_ day: CivilDate, _ nominal: Int, _ minutes: Int, _ fate: Fate) -> Void
    ) {
        let extent = extent(of: booking)
        let whole = DayWindow(
            extent.first, extent.last ?? window?.last ?? extent.first.adding(days: Self.daysOfEndless - 1))
        guard let part = window.map({ whole.overlap(with: $0) }) ?? whole else { return }
        let all = whole.first.daysSinceEpoch...whole.last.daysSinceEpoch
        let walked = daysToWalk(of: all, around: part.first.daysSinceEpoch...part.last.daysSinceEpoch)
        var days = DayGrid()
        days.fill(self, first: walked.lowerBound, last: walked.upperBound)
        var minutes = [Int](repeating: 0, count: part.count)
        var spread = Spread()
        let first = part.first.daysSinceEpoch
        spread.lay(
            extent.way, extent: all, part: first...part.last.daysSinceEpoch, on: days
        ) { day, share, _ in minutes[day - first] = share }
        for (index, share) in minutes.enumerated() {
            let place = first + index - days.origin
            each(
                part.day(index), days.nominal[place], share,
                .of(first + index, completed: booking.lastLoaded, isEmployed: days.isEmployed[place]))
        }
    }
}
