import Contracts

/// A person's days in arrays, one place a day. Filled anew for each person, it needs no new memory.
struct DayGrid: Sendable {
    /// Days since the epoch of place 0.
    private(set) var origin = 0
    /// Minutes of each day as though the employment reached over all of them: outside employment the contract of the nearest
    /// day of employment holds. Less holidays and approved leave.
    private(set) var nominal: [Int] = []
    private(set) var isEmployed: [Bool] = []

    var count: Int { nominal.count }

    func capacity(at place: Int) -> Int { isEmployed[place] ? nominal[place] : 0 }

    func capacity(_ places: Range<Int>) -> Int {
        places.reduce(0) { $0 + capacity(at: $1) }
    }

    mutating func fill(_ time: WorkingTime, first: Int, last: Int) {
        origin = first
        let count = max(0, last - first + 1)
        nominal.removeAll(keepingCapacity: true)
        nominal.append(contentsOf: repeatElement(0, count: count))
        isEmployed.removeAll(keepingCapacity: true)
        isEmployed.append(contentsOf: repeatElement(false, count: count))
        guard count > 0 else { return }
        fillPatterns(time, first: first, last: last)
        for leave in time.leave where leave.isApproved { take(leave) }
    }

    private mutating func fillPatterns(_ time: WorkingTime, first: Int, last: Int) {
        guard !time.spells.isEmpty else { return employ(time, first, last) }
        var day = first
        var previousEnd: Int?
        for spell in time.spells {
            let start = (spell.from ?? .earliest).daysSinceEpoch
            let end = (spell.to ?? .latest).daysSinceEpoch
            if day < start {
                bridge(time, day, min(start - 1, last), after: previousEnd, before: start)
                day = start
            }
            guard day <= last else { return }
            if end >= day {
                employ(time, day, min(end, last))
                guard end < last else { return }
                day = end + 1
            }
            previousEnd = max(end, previousEnd ?? end)
        }
        bridge(time, day, last, after: previousEnd, before: nil)
    }

    /// Days of employment, each under the contract in force.
    private mutating func employ(_ time: WorkingTime, _ first: Int, _ last: Int) {
        for place in first - origin...last - origin { isEmployed[place] = true }
        let contracts = time.contracts
        for (index, contract) in contracts.enumerated() {
            // The earliest contract holds before it begins, too.
            let from = index == 0 ? first : max(first, contract.start)
            let next = index + 1 < contracts.count ? contracts[index + 1].start : last + 1
            apply(contract, from, min(last, next - 1))
        }
    }

    /// Days outside employment, each under the contract of the nearest day of employment; the earlier one's if both are near.
    private mutating func bridge(_ time: WorkingTime, _ first: Int, _ last: Int, after: Int?, before: Int?) {
        let middle = if let after, let before { after + (before - after) / 2 } else { after == nil ? Int.min : Int.max }
        if let after, let contract = time.contract(on: after) { apply(contract, first, min(last, middle)) }
        if let before, let contract = time.contract(on: before) {
            apply(contract, middle == Int.min ? first : max(first, middle + 1), last)
        }
    }

    private mutating func apply(_ contract: Contract, _ first: Int, _ last: Int) {
        guard first <= last else { return }
        var weekday = Weekday.of(first)
        for place in first - origin...last - origin {
            nominal[place] = contract.pattern[weekday]
            weekday = weekday == 6 ? 0 : weekday + 1
        }
        guard let calendar = contract.calendar else { return }
        for holiday in calendar.holidays(from: first) {
            let place = holiday.date.daysSinceEpoch - origin
            guard place <= last - origin else { return }
            nominal[place] = holiday.off.leaves(of: nominal[place])
        }
    }

    private mutating func take(_ leave: Leave) {
        let first = max(0, leave.days.first.daysSinceEpoch - origin)
        let last = min(count - 1, leave.days.last.daysSinceEpoch - origin)
        guard first <= last else { return }
        for place in first...last { nominal[place] = leave.off.leaves(of: nominal[place]) }
    }
}

extension WorkingTime {
    /// Of a long stretch, the days to be looked at one by one for what happens on `part`: all on which something changes, and a week
    /// at either end. Beyond them every week is like that one.
    func daysToWalk(of whole: ClosedRange<Int>, around part: ClosedRange<Int>) -> ClosedRange<Int> {
        guard whole.count > Self.daysOfShort else { return whole }
        var (first, last) = (part.lowerBound, part.upperBound)
        func reach(_ day: CivilDate?) {
            guard let day = day?.daysSinceEpoch else { return }
            first = min(first, day)
            last = max(last, day)
        }
        for spell in spells {
            reach(spell.from)
            reach(spell.to)
        }
        for contract in contracts {
            reach(contract.from)
            reach(contract.calendar?.holidays.first?.date)
            reach(contract.calendar?.holidays.last?.date)
        }
        for leave in leave where leave.isApproved {
            reach(leave.days.first)
            reach(leave.days.last)
        }
        return max(whole.lowerBound, first - 7)...min(whole.upperBound, last + 7)
    }

    /// What is soon walked is walked.
    private static let daysOfShort = 2_000
}
