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
    private var times = Column<Double>()
    /// Slots of the entries, for medians of the latest ones.
    private var slots = Column<Int32>()
    /// `sums[i]` covers the first i rows; `sums[0]` is zero.
    private var sums: Column<OutcomeLanes>

    /// What a view reads, while the series is alive and unchanged.
    struct Rows {
        let times: UnsafeBufferPointer<Double>
        let slots: UnsafeBufferPointer<Int32>
        let sums: UnsafeBufferPointer<OutcomeLanes>

        /// Of a group that history has never met.
        static var none: Rows {
            Rows(
                times: .init(start: nil, count: 0), slots: .init(start: nil, count: 0),
                sums: .init(start: nil, count: 0))
        }
    }

    init() {
        sums = Column()
        sums.append(.zero)
    }

    var rows: Rows {
        @inline(__always) get { Rows(times: times.rows, slots: slots.rows, sums: sums.rows) }
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
        var position = times.rows.lowerBound(of: time)
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
    private var decided = Column<Double>()
    private var done = Column<Double>()

    /// What a feature reads, while the series is alive and unchanged.
    struct Rows {
        let decided: UnsafeBufferPointer<Double>
        let done: UnsafeBufferPointer<Double>
    }

    var rows: Rows {
        @inline(__always) get { Rows(decided: decided.rows, done: done.rows) }
    }

    mutating func appendUnsorted(decidedAt: Double, doneAt: Double?) {
        decided.append(decidedAt)
        if let doneAt { done.append(doneAt) }
    }

    mutating func sort() {
        decided.sort()
        done.sort()
    }

    mutating func insert(decidedAt: Double, doneAt: Double?) {
        decided.insert(decidedAt, at: decided.rows.lowerBound(of: decidedAt))
        if let doneAt { done.insert(doneAt, at: done.rows.lowerBound(of: doneAt)) }
    }

    mutating func remove(decidedAt: Double, doneAt: Double?) {
        decided.removeFirst(equalTo: decidedAt)
        if let doneAt { done.removeFirst(equalTo: doneAt) }
    }
}

// MARK: Memory

/// Values in memory of their own, read through a plain pointer.
///
/// Computing features reads thousands of short columns for each row, on all cores. Reading an `Array` counts a reference
/// up and down each time, and cores that count the same references spend their time waiting for each other.
/// Copy-on-write, as an array is. In one file with its users, so that debug builds too make special code for each element.
private struct Column<Element: BitwiseCopyable & Sendable>: Sendable {
    /// Owns the memory and frees it.
    /// @unchecked Sendable: only a column that is its one owner writes through the pointer.
    private final class Memory: @unchecked Sendable {
        let base: UnsafeMutablePointer<Element>
        let capacity: Int

        init(capacity: Int) {
            base = .allocate(capacity: capacity)
            self.capacity = capacity
        }

        deinit { base.deallocate() }
    }

    private var memory: Memory
    /// The same address as the memory's, here so that reading touches no reference.
    nonisolated(unsafe) private var base: UnsafeMutablePointer<Element>
    private(set) var count = 0

    init() {
        memory = Memory(capacity: 2)
        base = memory.base
    }

    /// The values as of now: to be read only while the column is alive and unchanged.
    var rows: UnsafeBufferPointer<Element> {
        @inline(__always) get { UnsafeBufferPointer(start: base, count: count) }
    }

    var last: Element? { count > 0 ? base[count - 1] : nil }

    subscript(_ position: Int) -> Element {
        get {
            precondition(position >= 0 && position < count, "a column has no such row")
            return base[position]
        }
        set {
            precondition(position >= 0 && position < count, "a column has no such row")
            own(capacity: count)
            base[position] = newValue
        }
    }

    mutating func append(_ value: Element) {
        own(capacity: count + 1)
        base[count] = value
        count += 1
    }

    mutating func insert(_ value: Element, at position: Int) {
        precondition(position >= 0 && position <= count, "a column has no such place")
        own(capacity: count + 1)
        (base + position + 1).update(from: base + position, count: count - position)
        base[position] = value
        count += 1
    }

    mutating func remove(at position: Int) {
        precondition(position >= 0 && position < count, "a column has no such row")
        own(capacity: count)
        (base + position).update(from: base + position + 1, count: count - position - 1)
        count -= 1
    }

    mutating func removeLast() { remove(at: count - 1) }

    private mutating func own(capacity: Int) {
        guard memory.capacity < capacity || !isKnownUniquelyReferenced(&memory) else { return }
        let copy = Memory(capacity: memory.capacity < capacity ? max(capacity, memory.capacity * 2) : memory.capacity)
        copy.base.update(from: base, count: count)
        memory = copy
        base = copy.base
    }
}

extension Column<Double> {
    mutating func sort() {
        own(capacity: count)
        var values = UnsafeMutableBufferPointer(start: base, count: count)
        values.sort()
    }

    mutating func removeFirst(equalTo value: Double) {
        let position = rows.lowerBound(of: value)
        if position < count, base[position] == value { remove(at: position) }
    }
}
