public import Contracts

/// One person's days of a window, in minutes: what there is, what is booked, what is free.
///
/// Made once for a window and filled again for each person, it needs no new memory. Place 0 is the window's first day.
public struct PersonDays: Sendable {
    public let window: DayWindow
    public private(set) var capacity: [Int]
    /// Hard bookings. More than the capacity when the person is over-booked.
    public var hard: [Int] { sums.hard }
    /// Soft bookings, those on projects on hold among them.
    public var soft: [Int] { sums.soft }
    /// What requested leave would take of the capacity.
    public private(set) var requestedLeave: [Int]
    /// Work that was recorded; nil for a day without a record.
    public private(set) var recorded: [Int?]
    /// The indices of the days on which work may be planned with the person: all before a hold.
    public private(set) var plannable: Range<Int>
    /// Whether the person is employed on each day.
    public private(set) var employed: [Bool]
    /// Whether some day of the window is a day of employment.
    public private(set) var isEmployed = false
    /// Whether some day of the window is a day of employment on which one may plan with the person.
    public private(set) var isPlannable = false

    private var sums: Sums
    private var shares: DayShares
    private var days = DayGrid()
    private var spread = Spread()
    /// The days of each booking that counts and reaches into the window.
    private var reaches: [(booking: Int, way: Effort.Way, extent: ClosedRange<Int>, part: ClosedRange<Int>)] = []

    public init(_ window: DayWindow) {
        self.window = window
        capacity = Array(repeating: 0, count: window.count)
        requestedLeave = capacity
        employed = Array(repeating: false, count: window.count)
        recorded = Array(repeating: nil, count: window.count)
        let exact = [Double](repeating: 0, count: window.count)
        sums = Sums(hard: capacity, soft: capacity, exactHard: exact, exactSoft: exact)
        shares = DayShares(days: window.count)
        plannable = 0..<window.count
    }

    /// Reckons one person's days anew.
    /// - Parameter bookings: all that may reach into the window; others do no harm.
    public mutating func reckon(_ time: WorkingTime, _ bookings: [Booking]) {
        reach(time, bookings)
        takeTime(time)
        for place in recorded.indices { recorded[place] = nil }
        // The closure below may not touch self while the tables of self are used.
        var sums = Sums()
        swap(&sums, &self.sums)
        sums.clear()
        var shares = clearedShares()
        let first = window.first.daysSinceEpoch
        let (isEmployed, origin) = (days.isEmployed, days.origin)
        for reach in reaches {
            let booking = bookings[reach.booking]
            let (isHard, isShare) = (booking.standing == .hard, reach.way.isPercentage)
            spread.lay(reach.way, extent: reach.extent, part: reach.part, on: days) { day, alone, exact in
                guard isEmployed[day - origin] else { return }
                let minutes = isShare ? shares.add(exact, at: day - first, isHard: isHard) : alone
                if isHard {
                    sums.hard[day - first] += minutes
                    sums.exactHard[day - first] += exact
                } else {
                    sums.soft[day - first] += minutes
                    sums.exactSoft[day - first] += exact
                }
            }
        }
        swap(&sums, &self.sums)
        swap(&shares, &self.shares)
    }

    /// The table of shares, to be given back after its use.
    private mutating func clearedShares() -> DayShares {
        var shares = DayShares()
        swap(&shares, &self.shares)
        shares.clear()
        return shares
    }

    /// What bookings load, by day.
    private struct Sums {
        var hard: [Int] = []
        var soft: [Int] = []
        /// Before rounding, so that rounding never makes a person over-booked.
        var exactHard: [Double] = []
        var exactSoft: [Double] = []

        mutating func clear() {
            for place in hard.indices {
                hard[place] = 0
                soft[place] = 0
                exactHard[place] = 0
                exactSoft[place] = 0
            }
        }
    }

    /// Notes a percentage of a day's capacity that was recorded. Days outside the window are left out.
    public mutating func record(percent: Double, on day: CivilDate) {
        record(minutes: Int((Double(capacity(on: day)) * percent / 100).rounded()), on: day)
    }

    /// Notes minutes that were recorded, beside what is noted of that day.
    public mutating func record(minutes: Int, on day: CivilDate) {
        guard window.contains(day) else { return }
        let place = window.index(of: day)
        recorded[place] = (recorded[place] ?? 0) + minutes
    }

    private func capacity(on day: CivilDate) -> Int { window.contains(day) ? capacity[window.index(of: day)] : 0 }

    /// What is left of the capacity after hard bookings, and after soft ones too when asked; too much on one day takes nothing from
    /// another. 0 where no work should be planned with the person.
    public func free(at place: Int, afterSoft: Bool = false) -> Int {
        guard plannable.contains(place) else { return 0 }
        return max(0, capacity[place] - hard[place] - (afterSoft ? soft[place] : 0))
    }

    public func free(_ places: Range<Int>, afterSoft: Bool = false) -> Int {
        places.reduce(0) { $0 + free(at: $1, afterSoft: afterSoft) }
    }

    /// Minutes above the capacity. A minute that only rounding makes does not count.
    public func over(at place: Int, withSoft: Bool = false) -> Int {
        let load = hard[place] + (withSoft ? soft[place] : 0)
        guard load > capacity[place] else { return 0 }
        let exact = sums.exactHard[place] + (withSoft ? sums.exactSoft[place] : 0)
        return exact > Double(capacity[place]) + 1e-6 ? load - capacity[place] : 0
    }

    /// The minutes that each booking of the last ``reckon(_:_:)`` loads on days of the window, one call a day that has some. They add up to
    /// ``hard`` and ``soft``, for which shares of one day are rounded together: one share may be a minute away from what it is alone.
    /// - Parameter bookings: those that were reckoned.
    public mutating func forEachLoad(
        of bookings: [Booking], _ each: (_ booking: Booking, _ place: Int, _ minutes: Int) -> Void
    ) {
        forEachLoad(of: bookings) { index, place, minutes in each(bookings[index], place, minutes) }
    }

    /// The same by the booking's place in the array.
    @inline(__always)
    mutating func forEachLoad(
        of bookings: [Booking], _ each: (_ booking: Int, _ place: Int, _ minutes: Int) -> Void
    ) {
        let first = window.first.daysSinceEpoch
        let (isEmployed, origin) = (days.isEmployed, days.origin)
        var shares = clearedShares()
        for reach in reaches {
            let booking = bookings[reach.booking]
            let (isHard, isShare) = (booking.standing == .hard, reach.way.isPercentage)
            spread.lay(reach.way, extent: reach.extent, part: reach.part, on: days) { day, alone, exact in
                guard isEmployed[day - origin] else { return }
                let minutes = isShare ? shares.add(exact, at: day - first, isHard: isHard) : alone
                if minutes > 0 { each(reach.booking, day - first, minutes) }
            }
        }
        swap(&shares, &self.shares)
    }

    private mutating func reach(_ time: WorkingTime, _ bookings: [Booking]) {
        reaches.removeAll(keepingCapacity: true)
        let (first, last) = (window.first.daysSinceEpoch, window.last.daysSinceEpoch)
        var (from, to) = (first, last)
        for (index, booking) in bookings.enumerated() where booking.standing != nil {
            let start = booking.first.daysSinceEpoch
            let stop = min(last, booking.lastLoaded)
            guard start <= stop, stop >= first else { continue }
            if let end = booking.last, end.daysSinceEpoch < first { continue }
            let extent = time.extent(of: booking)
            let end = (extent.last ?? window.last).daysSinceEpoch
            guard end >= first else { continue }
            let part = max(start, first)...min(end, stop)
            reaches.append((index, extent.way, start...end, part))
            // Only hours need all of their days to know the share of one.
            if case .minutes = extent.way {
                from = min(from, start)
                to = max(to, end)
            }
        }
        let walked = time.daysToWalk(of: from...to, around: first...last)
        days.fill(time, first: walked.lowerBound, last: walked.upperBound)
    }

    private mutating func takeTime(_ time: WorkingTime) {
        let offset = window.first.daysSinceEpoch - days.origin
        let held = time.heldFrom.map { min(max(0, window.index(of: $0)), window.count) } ?? window.count
        plannable = 0..<held
        isEmployed = false
        isPlannable = false
        for place in capacity.indices {
            capacity[place] = days.capacity(at: place + offset)
            requestedLeave[place] = 0
            employed[place] = days.isEmployed[place + offset]
            guard employed[place] else { continue }
            isEmployed = true
            if place < held { isPlannable = true }
        }
        for leave in time.leave where !leave.isApproved {
            guard let part = leave.days.overlap(with: window) else { continue }
            for place in window.index(of: part.first)...window.index(of: part.last) {
                let left = capacity[place] - requestedLeave[place]
                requestedLeave[place] += left - leave.off.leaves(of: left)
            }
        }
    }
}
