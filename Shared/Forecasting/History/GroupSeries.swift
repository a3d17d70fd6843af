import CKernels

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
/// running sums and medians: what was known at any moment, of all or of the latest few, is one search and one subtraction.
///
/// A history of a million allocations has millions of such series, most of them with a row or two. So a series is a few words
/// that point into memory which many can share, and copies its rows out of it when it is the first to change them.
struct GroupSeries: Sendable {
    /// How many rows it has.
    private(set) var count = 0
    /// The times of the first and the last row: many questions need no more.
    private var span = (first: 0.0, last: 0.0)
    /// Whether it has running medians.
    let keepsMedians: Bool
    private var capacity = 0
    private var memory: SeriesMemory?
    /// Where this series' part of the memory begins. It holds, one after the other, all sums, medians, times and slots.
    nonisolated(unsafe) private var base: UnsafeMutableRawPointer?
    /// The first row that a batch of changes has marked; none when not below `count`.
    private var firstMarked = Int.max

    init(keepsMedians: Bool) { self.keepsMedians = keepsMedians }

    /// What a view reads, while the series is alive and unchanged.
    struct Rows {
        let times: UnsafeMutablePointer<Double>
        /// Slots of the entries; -1 where a batch of changes has marked the row as gone.
        let slots: UnsafeMutablePointer<Int32>
        /// The sums from the first row to each.
        let sums: UnsafeMutablePointer<OutcomeLanes>
        /// Of the log ratio and of the log hours: the median of the latest `medianWindow` rows that have it. Nil when not kept.
        let medians: UnsafeMutablePointer<SIMD2<Double>>?
    }

    /// How far back medians look, in tasks.
    static let medianWindow = 63

    /// Nil when there are none.
    var rows: Rows? {
        @inline(__always) get {
            guard let base, count > 0 else { return nil }
            return Rows(base, capacity: capacity, keepsMedians: keepsMedians)
        }
    }

    /// When they were completed; nil when there are none.
    var moments: SortedMoments? {
        @inline(__always) get {
            rows.map { SortedMoments(times: $0.times, count: count, first: span.first, last: span.last) }
        }
    }

    // MARK: Changing, a batch at a time

    /// Marks a row as gone. It goes, and what follows it is summed again, when the batch is settled.
    mutating func mark(slot: Int32, completedAt time: Double) {
        moveUnlessOwned(capacity: capacity)
        guard let rows else { return }
        var position = UnsafeBufferPointer(start: rows.times, count: count).lowerBound(of: time)
        while position < count, rows.slots[position] != slot { position += 1 }
        guard position < count else { return }
        rows.slots[position] = -1
        firstMarked = min(firstMarked, position)
    }

    /// Bytes that room for so many rows takes.
    func bytes(capacity: Int) -> Int {
        let row =
            MemoryLayout<OutcomeLanes>.stride + (keepsMedians ? MemoryLayout<SIMD2<Double>>.stride : 0)
            + MemoryLayout<Double>.stride + MemoryLayout<Int32>.stride
        return (capacity * row + SeriesMemory.alignment - 1) / SeriesMemory.alignment * SeriesMemory.alignment
    }

    /// Moves the rows to this part of `memory`.
    mutating func move(to memory: SeriesMemory, at offset: Int, capacity: Int) {
        let old = rows
        let base = memory.base + offset
        if let old {
            let new = Rows(base, capacity: capacity, keepsMedians: keepsMedians)
            new.sums.update(from: old.sums, count: count)
            if let medians = old.medians { new.medians?.update(from: medians, count: count) }
            new.times.update(from: old.times, count: count)
            new.slots.update(from: old.slots, count: count)
        }
        self.memory = memory
        self.base = base
        self.capacity = capacity
    }

    /// Makes sure that nobody else reads what is written next, and that there is room.
    mutating func moveUnlessOwned(capacity needed: Int) {
        guard needed > 0, needed > capacity || !isKnownUniquelyReferenced(&memory) else { return }
        let room = needed > capacity ? max(needed, 2 * capacity, 4) : capacity
        move(to: SeriesMemory(bytes: bytes(capacity: room)), at: 0, capacity: room)
    }

    /// Drops the marked rows, puts new ones where they belong and sums again from the first change on.
    /// - Parameters:
    ///   - ranks: of the new rows among the arrivals, ascending. There must be room for them.
    ///   - precedes: whether one slot's allocation was completed before another's.
    mutating func settle(
        _ ranks: UnsafeBufferPointer<Int32>, of arrivals: UnsafeBufferPointer<Arrival>,
        lanes: UnsafeBufferPointer<OutcomeLanes>, precedes: (Int32, Int32) -> Bool
    ) {
        guard let base else { return }
        let room = Rows(base, capacity: capacity, keepsMedians: keepsMedians)
        var first = min(firstMarked, count)
        if let rank = ranks.first {
            let arrival = arrivals[Int(rank)]
            var place = UnsafeBufferPointer(start: room.times, count: count).lowerBound(of: arrival.time)
            // From `first` on rows may be marked as gone, which have no order any more.
            while place < first, room.times[place] == arrival.time, precedes(room.slots[place], arrival.slot) {
                place += 1
            }
            first = min(first, place)
        }
        let tail = (first..<count).filter { room.slots[$0] >= 0 }.map {
            Arrival(time: room.times[$0], slot: room.slots[$0])
        }
        var (old, new, next) = (0, 0, first)
        while old < tail.count || new < ranks.count {
            let takesOld: Bool
            if old == tail.count || new == ranks.count {
                takesOld = new == ranks.count
            } else {
                let (mine, theirs) = (tail[old], arrivals[Int(ranks[new])])
                takesOld = mine.time != theirs.time ? mine.time < theirs.time : precedes(mine.slot, theirs.slot)
            }
            let row = takesOld ? tail[old] : arrivals[Int(ranks[new])]
            if takesOld { old += 1 } else { new += 1 }
            room.times[next] = row.time
            room.slots[next] = row.slot
            next += 1
        }
        count = next
        firstMarked = .max
        if count > 0 { span = (room.times[0], room.times[count - 1]) }
        sumAgain(room, from: first, lanes: lanes)
    }

    private func sumAgain(_ rows: Rows, from first: Int, lanes: UnsafeBufferPointer<OutcomeLanes>) {
        var sum = first > 0 ? rows.sums[first - 1] : .zero
        for position in first..<count {
            sum += lanes[Int(rows.slots[position])]
            rows.sums[position] = sum
        }
        guard let medians = rows.medians else { return }
        var ratios = RecentMedian(size: Self.medianWindow)
        var hours = RecentMedian(size: Self.medianWindow)
        for position in latestPlanned(rows, before: first) {
            ratios.push(lanes[Int(rows.slots[position])][Lane.ratio])
        }
        for position in max(0, first - Self.medianWindow)..<first {
            hours.push(lanes[Int(rows.slots[position])][Lane.hours])
        }
        for position in first..<count {
            let row = lanes[Int(rows.slots[position])]
            if row[Lane.planned] > 0 { ratios.push(row[Lane.ratio]) }
            hours.push(row[Lane.hours])
            medians[position] = SIMD2(ratios.median, hours.median)
        }
    }

    /// The latest rows before `end` that had a plan, ascending, as many as medians look back.
    private func latestPlanned(_ rows: Rows, before end: Int) -> [Int] {
        var found: [Int] = []
        var end = end
        while end > 0, found.count < Self.medianWindow {
            let planned = rows.sums[end - 1][Lane.planned]
            guard planned > 0 else { break }
            let isLast = end == 1 || rows.sums[end - 2][Lane.planned] < planned
            end = isLast ? end - 1 : firstPosition(in: end) { rows.sums[$0][Lane.planned] >= planned }
            found.append(end)
        }
        return found.reversed()
    }
}

/// A finished allocation on its way into its series.
struct Arrival {
    /// When its outcome became known.
    var time: Double
    var slot: Int32
}

extension GroupSeries.Rows {
    /// Asks for the memory that a view of the first `count` rows reads.
    @inline(__always)
    func prefetch(before count: Int) {
        for back in [1, 3, 6, 21] where count >= back { erm_prefetch(sums + (count - back)) }
        if count > 0, let medians { erm_prefetch(medians + (count - 1)) }
    }

    @inline(__always)
    fileprivate init(_ base: UnsafeMutableRawPointer, capacity: Int, keepsMedians: Bool) {
        let medians = base + capacity * MemoryLayout<OutcomeLanes>.stride
        let times = medians + (keepsMedians ? capacity * MemoryLayout<SIMD2<Double>>.stride : 0)
        sums = base.assumingMemoryBound(to: OutcomeLanes.self)
        self.medians = keepsMedians ? medians.assumingMemoryBound(to: SIMD2<Double>.self) : nil
        self.times = times.assumingMemoryBound(to: Double.self)
        slots = (times + capacity * MemoryLayout<Double>.stride).assumingMemoryBound(to: Int32.self)
    }
}
