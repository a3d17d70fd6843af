/// What one finished allocation says, in the form in which it is summed.
///
/// Lanes: log ratio actual ÷ plan, log hours, success, log plan, squared log ratio, exactly as planned, squared log hours, has a plan.
/// Rows without a plan have 0 in every lane that needs one.
typealias OutcomeLanes = SIMD8<Double>

enum Lane {
    static let ratio = 0
    static let hours = 1
    static let success = 2
    static let plan = 3
    static let ratioSquared = 4
    static let exact = 5
    static let hoursSquared = 6
    static let planned = 7
}

/// The finished allocations of one group (a person, a project, a person on a skill set …) in order of completion, with
/// running sums: the sum over all, or over the latest 20, as of any moment is one binary search and one subtraction.
struct GroupSeries: Sendable {
    private(set) var times: [Double] = []
    /// Slots of the entries, for medians of the latest ones.
    private(set) var slots: [Int32] = []
    /// `sums[i]` covers the first i rows; `sums[0]` is zero.
    private(set) var sums: [OutcomeLanes] = [.zero]

    /// How many completed strictly before `moment`.
    func count(before moment: Double) -> Int {
        if let last = times.last, last < moment { return times.count }
        return times.lowerBound(of: moment)
    }

    mutating func append(time: Double, slot: Int32, lanes: OutcomeLanes) {
        times.append(time)
        slots.append(slot)
        sums.append(sums[sums.count - 1] + lanes)
    }

    /// Puts a row where `order` says and sums again what follows it.
    mutating func insert(slot: Int32, entries: [HistoryEntry]) {
        let entry = entries[Int(slot)]
        guard let time = entry.outcomeTime else { return }
        var position = times.count
        while position > 0, entry.completes(before: entries[Int(slots[position - 1])]) { position -= 1 }
        times.insert(time, at: position)
        slots.insert(slot, at: position)
        sums.append(.zero)
        sumAgain(from: position, entries: entries)
    }

    mutating func remove(slot: Int32, entries: [HistoryEntry]) {
        guard let time = entries[Int(slot)].outcomeTime else { return }
        var position = times.lowerBound(of: time)
        while position < slots.count, slots[position] != slot { position += 1 }
        guard position < slots.count else { return }
        times.remove(at: position)
        slots.remove(at: position)
        sums.removeLast()
        sumAgain(from: position, entries: entries)
    }

    private mutating func sumAgain(from position: Int, entries: [HistoryEntry]) {
        for index in position..<slots.count { sums[index + 1] = sums[index] + entries[Int(slots[index])].lanes }
    }
}

/// How many allocations of a group were decided, and how many finished, before a moment.
struct FlowSeries: Sendable {
    private(set) var decided: [Double] = []
    private(set) var done: [Double] = []

    mutating func appendUnsorted(decidedAt: Double, doneAt: Double?) {
        decided.append(decidedAt)
        if let doneAt { done.append(doneAt) }
    }

    mutating func sort() {
        decided.sort()
        done.sort()
    }

    mutating func insert(decidedAt: Double, doneAt: Double?) {
        decided.insert(decidedAt, at: decided.lowerBound(of: decidedAt))
        if let doneAt { done.insert(doneAt, at: done.lowerBound(of: doneAt)) }
    }

    mutating func remove(decidedAt: Double, doneAt: Double?) {
        decided.removeFirst(equalTo: decidedAt)
        if let doneAt { done.removeFirst(equalTo: doneAt) }
    }

    func decided(before moment: Double) -> Int { decided.lowerBound(of: moment) }
    func done(before moment: Double) -> Int { done.lowerBound(of: moment) }
}

extension Array where Element: Comparable {
    /// Index of the first element not below `value`; the array must be sorted.
    func lowerBound(of value: Element) -> Int {
        var low = 0
        var high = count
        while low < high {
            let middle = (low + high) / 2
            if self[middle] < value { low = middle + 1 } else { high = middle }
        }
        return low
    }

    mutating func removeFirst(equalTo value: Element) {
        let index = lowerBound(of: value)
        if index < count, self[index] == value { remove(at: index) }
    }
}
