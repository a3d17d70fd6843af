public import Contracts

/// Days in a row on which the same bookings are together more than a person's capacity.
public struct OverCapacity: Hashable, Sendable {
    public let from: CivilDate
    public let to: CivilDate
    /// Of the days that are over.
    public let capacity: Int
    public let load: Int
    /// Minutes above the capacity.
    public let over: Int
    public let bookings: [AllocationID]

    /// The load in percent of the capacity; nil without capacity.
    public var percent: Double? { capacity > 0 ? Double(load) / Double(capacity) * 100 : nil }
}

extension PersonDays {
    public var isOver: Bool { capacity.indices.contains { over(at: $0) > 0 } }

    /// The most that hard bookings take on one of the days that are over, in percent of its capacity; nil when none of these days has
    /// capacity.
    public var peakPercent: Double? {
        capacity.indices.filter { over(at: $0) > 0 }
            .compactMap { Utilisation.percent(hard[$0], of: capacity[$0]) }.max()
    }

    /// Where the bookings of the last ``reckon(_:_:)`` are more than the capacity, in order of time.
    ///
    /// A new period begins where other bookings take part or a working day lies between that is not over; days without working
    /// time and without load do not part a period.
    public mutating func overCapacity(_ bookings: [Booking], withSoft: Bool = false) -> [OverCapacity] {
        let places = capacity.indices.filter { over(at: $0, withSoft: withSoft) > 0 }
        guard !places.isEmpty else { return [] }
        var taking = Participants(places: places, days: window.count, bookings: bookings.count)
        let counts = bookings.map { $0.standing == .hard || withSoft }
        forEachLoad(of: bookings) { (booking: Int, place: Int, _: Int) in
            if counts[booking] { taking.insert(booking, at: place) }
        }
        var periods: [OverCapacity] = []
        var start = 0
        while start < places.count {
            var end = start
            while end + 1 < places.count, taking.areEqual(start, end + 1),
                !hasWork(places[end] + 1..<places[end + 1], withSoft: withSoft)
            {
                end += 1
            }
            let part = taking.members(start).map { bookings[$0].id }
            periods.append(period(places[start...end], part, withSoft: withSoft))
            start = end + 1
        }
        return periods
    }

    private func hasWork(_ places: Range<Int>, withSoft: Bool) -> Bool {
        places.contains { capacity[$0] > 0 || hard[$0] > 0 || (withSoft && soft[$0] > 0) }
    }

    private func period(_ places: ArraySlice<Int>, _ bookings: [AllocationID], withSoft: Bool) -> OverCapacity {
        OverCapacity(
            from: window.day(places[places.startIndex]), to: window.day(places[places.endIndex - 1]),
            capacity: places.reduce(0) { $0 + capacity[$1] },
            load: places.reduce(0) { $0 + hard[$1] + (withSoft ? soft[$1] : 0) },
            over: places.reduce(0) { $0 + over(at: $1, withSoft: withSoft) }, bookings: bookings)
    }
}

/// Which bookings load which of the days that are over: a bit for each, so that days are compared by words.
private struct Participants {
    /// By place in the window, the number of the day among those that are over; -1 for others.
    private var numbers: [Int]
    private var bits: [UInt64]
    private let words: Int

    init(places: [Int], days: Int, bookings: Int) {
        numbers = Array(repeating: -1, count: days)
        for (number, place) in places.enumerated() { numbers[place] = number }
        words = (bookings + 63) / 64
        bits = Array(repeating: 0, count: places.count * words)
    }

    mutating func insert(_ booking: Int, at place: Int) {
        let number = numbers[place]
        if number >= 0 { bits[number * words + booking / 64] |= 1 << UInt64(booking % 64) }
    }

    func areEqual(_ one: Int, _ other: Int) -> Bool {
        (0..<words).allSatisfy { bits[one * words + $0] == bits[other * words + $0] }
    }

    func members(_ number: Int) -> [Int] {
        (0..<words).flatMap { word in
            let bits = bits[number * words + word]
            return (0..<64).filter { bits >> UInt64($0) & 1 == 1 }.map { word * 64 + $0 }
        }
    }
}
