import Contracts

/// What utilisation says of some people over some days, in minutes.
public struct Utilisation: Hashable, Sendable {
    public var capacity = 0
    public var hard = 0
    public var soft = 0
    public var free = 0
    /// Of the days with a record.
    public var recorded = 0
    public var recordedCapacity = 0
    public var recordedDays = 0

    public init() {}

    public static func += (left: inout Self, right: Self) {
        left.capacity += right.capacity
        left.hard += right.hard
        left.soft += right.soft
        left.free += right.free
        left.recorded += right.recorded
        left.recordedCapacity += right.recordedCapacity
        left.recordedDays += right.recordedDays
    }

    /// Hard bookings in percent of the capacity; nil without capacity.
    public var percent: Double? { Self.percent(hard, of: capacity) }
    /// In percent of the capacity of the days with a record; nil without.
    public var recordedPercent: Double? { Self.percent(recorded, of: recordedCapacity) }

    public static func percent(_ part: Int, of whole: Int) -> Double? {
        whole > 0 ? Double(part) / Double(whole) * 100 : nil
    }
}

extension PersonDays {
    /// The figures of some days of the person.
    public func utilisation(_ places: Range<Int>) -> Utilisation {
        var sum = Utilisation()
        for place in places {
            sum.capacity += capacity[place]
            sum.hard += hard[place]
            sum.soft += soft[place]
            sum.free += free(at: place)
            if let minutes = recorded[place] {
                sum.recorded += minutes
                sum.recordedCapacity += capacity[place]
                sum.recordedDays += 1
            }
        }
        return sum
    }

    /// The same, divided among `parts` that add up to it to the minute, day by day, so that sums over days and over parts agree.
    ///
    /// Who gets the odd minute changes from day to day, or else the first part would always have more.
    public func utilisation(_ places: Range<Int>, dividedAmong parts: Int) -> [Utilisation] {
        guard parts > 1 else { return parts == 1 ? [utilisation(places)] : [] }
        var sums = [Utilisation](repeating: Utilisation(), count: parts)
        for place in places {
            let day = utilisation(place..<place + 1)
            let turn = Weekday.turn(window.first.daysSinceEpoch + place, of: parts)
            for part in sums.indices {
                let order = (part + turn) % parts
                func share(_ whole: Int) -> Int { whole / parts + (order < whole % parts ? 1 : 0) }
                sums[part].capacity += share(day.capacity)
                sums[part].hard += share(day.hard)
                sums[part].soft += share(day.soft)
                sums[part].free += share(day.free)
                sums[part].recorded += share(day.recorded)
                sums[part].recordedCapacity += share(day.recordedCapacity)
                sums[part].recordedDays += day.recordedDays
            }
        }
        return sums
    }
}

/// Figures by group and period. Groups are numbers, given by the caller from 0 on.
public struct UtilisationTable: Sendable {
    public let periods: [Period]
    /// By group, one figure a period.
    public private(set) var rows: [[Utilisation]] = []

    public init(_ periods: [Period]) { self.periods = periods }

    /// Adds a person's figures to a group.
    public mutating func add(_ days: PersonDays, to group: Int) {
        make(group)
        for (index, period) in periods.enumerated() { rows[group][index] += days.utilisation(period.places) }
    }

    /// Divides a person's figures evenly among the groups.
    public mutating func add(_ days: PersonDays, dividedAmong groups: [Int]) {
        for group in groups { make(group) }
        for (index, period) in periods.enumerated() {
            let parts = days.utilisation(period.places, dividedAmong: groups.count)
            for (group, part) in zip(groups, parts) { rows[group][index] += part }
        }
    }

    /// Adds what each booking of a person takes to a group of its own. Bookings have no capacity, and nothing is recorded of them.
    /// - Parameter bookings: those that were reckoned.
    public mutating func add(_ days: inout PersonDays, _ bookings: [Booking], by group: (Booking) -> Int) {
        var periodOf = [Int](repeating: 0, count: days.window.count)
        for (index, period) in periods.enumerated() {
            for place in period.places { periodOf[place] = index }
        }
        let groups = bookings.map(group)
        for group in groups { make(group) }
        days.forEachLoad(of: bookings) { (booking: Int, place: Int, minutes: Int) in
            if bookings[booking].standing == .hard {
                rows[groups[booking]][periodOf[place]].hard += minutes
            } else {
                rows[groups[booking]][periodOf[place]].soft += minutes
            }
        }
    }

    private mutating func make(_ group: Int) {
        while rows.count <= group { rows.append(Array(repeating: Utilisation(), count: periods.count)) }
    }
}
