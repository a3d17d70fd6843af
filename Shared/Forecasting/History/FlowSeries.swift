/// How many allocations of a group were decided, and how many finished, before a moment.
struct FlowSeries: Sendable {
    private var decided = Column()
    private var done = Column()
    /// False while a batch of changes is being put in.
    private(set) var isSorted = true

    /// What a feature reads, while the series is alive and unchanged.
    struct Rows {
        let decided: UnsafeBufferPointer<Double>
        let done: UnsafeBufferPointer<Double>
    }

    var rows: Rows {
        @inline(__always) get { Rows(decided: decided.rows, done: done.rows) }
    }

    /// To be sorted before it is read.
    mutating func append(decidedAt: Double, doneAt: Double?) {
        decided.append(decidedAt)
        if let doneAt { done.append(doneAt) }
        isSorted = false
    }

    mutating func remove(decidedAt: Double, doneAt: Double?) {
        if !isSorted { sort() }
        decided.removeFirst(equalTo: decidedAt)
        if let doneAt { done.removeFirst(equalTo: doneAt) }
    }

    mutating func sort() {
        decided.sort()
        done.sort()
        isSorted = true
    }
}

/// Moments in memory of their own, read through a plain pointer.
///
/// Computing features reads thousands of short columns for each row, on all cores. Reading an `Array` counts a reference
/// up and down each time, and cores that count the same references spend their time waiting for each other.
/// Copy-on-write, as an array is.
private struct Column: Sendable {
    /// Owns the memory and frees it.
    /// @unchecked Sendable: only a column that is its one owner writes through the pointer.
    private final class Memory: @unchecked Sendable {
        let base: UnsafeMutablePointer<Double>
        let capacity: Int

        init(capacity: Int) {
            base = .allocate(capacity: capacity)
            self.capacity = capacity
        }

        deinit { base.deallocate() }
    }

    private var memory: Memory
    /// The same address as the memory's, here so that reading touches no reference.
    nonisolated(unsafe) private var base: UnsafeMutablePointer<Double>
    private var count = 0

    init() {
        memory = Memory(capacity: 2)
        base = memory.base
    }

    /// The values as of now: to be read only while the column is alive and unchanged.
    var rows: UnsafeBufferPointer<Double> {
        @inline(__always) get { UnsafeBufferPointer(start: base, count: count) }
    }

    mutating func append(_ value: Double) {
        own(capacity: count + 1)
        base[count] = value
        count += 1
    }

    mutating func sort() {
        own(capacity: count)
        var values = UnsafeMutableBufferPointer(start: base, count: count)
        values.sort()
    }

    mutating func removeFirst(equalTo value: Double) {
        let position = rows.lowerBound(of: value)
        guard position < count, base[position] == value else { return }
        own(capacity: count)
        (base + position).update(from: base + position + 1, count: count - position - 1)
        count -= 1
    }

    private mutating func own(capacity: Int) {
        guard memory.capacity < capacity || !isKnownUniquelyReferenced(&memory) else { return }
        let copy = Memory(capacity: memory.capacity < capacity ? max(capacity, memory.capacity * 2) : memory.capacity)
        copy.base.update(from: base, count: count)
        memory = copy
        base = copy.base
    }
}
