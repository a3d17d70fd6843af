/// How many allocations of a group were decided, and how many finished or cancelled, before a moment.
struct FlowSeries: Sendable {
    private var decided = Column()
    private var done = Column()
    /// False while a batch of changes is being put in.
    private(set) var isSorted = true

    /// When allocations were decided; to be read while the series is alive and unchanged. Nil when there are none.
    var decisions: SortedMoments? {
        @inline(__always) get { decided.moments }
    }

    /// When they were finished or cancelled, as `decisions`.
    var completions: SortedMoments? {
        @inline(__always) get { done.moments }
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
    /// The first and the last value, once sorted: many questions need no more.
    private var span = (first: 0.0, last: 0.0)

    init() {
        memory = Memory(capacity: 2)
        base = memory.base
    }

    /// The values as of now, once sorted: to be read only while the column is alive and unchanged. Nil when there are none.
    var moments: SortedMoments? {
        @inline(__always) get {
            count > 0 ? SortedMoments(times: base, count: count, first: span.first, last: span.last) : nil
        }
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
        noteSpan()
    }

    mutating func removeFirst(equalTo value: Double) {
        let position = UnsafeBufferPointer(start: base, count: count).lowerBound(of: value)
        guard position < count, base[position] == value else { return }
        own(capacity: count)
        (base + position).update(from: base + position + 1, count: count - position - 1)
        count -= 1
        noteSpan()
    }

    private mutating func noteSpan() { if count > 0 { span = (base[0], base[count - 1]) } }

    private mutating func own(capacity: Int) {
        guard memory.capacity < capacity || !isKnownUniquelyReferenced(&memory) else { return }
        let copy = Memory(capacity: memory.capacity < capacity ? max(capacity, memory.capacity * 2) : memory.capacity)
        copy.base.update(from: base, count: count)
        memory = copy
        base = copy.base
    }
}
