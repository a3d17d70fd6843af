/// The finished allocations of one group (a person, a project, a person on a skill set …) in order of completion, with
/// running sums and medians: what was known at any moment, of all or of the latest few, is one search and one subtraction.
///
/// A history of a million allocations has millions of such series, most of them with a row or two. So a series is a few words
/// that point into memory which many can share, and copies its rows out of it when it is the first to change them.
struct GroupSeries: Sendable {
    // Four-byte numbers: the table of all series is read all over, so its cells are small.
    private var rowCount: Int32 = 0
    private var capacity: Int32 = 0
    /// The first row that a batch of changes has marked; none when not below the count.
    private var firstMarked = Int32.max
    /// Whether it has running medians.
    let keepsMedians: Bool
    /// The times of the first and the last row: many questions need no more.
    private var span = (first: 0.0, last: 0.0)
    private var memory: SeriesMemory?
    /// Where this series' part of the memory begins.
    nonisolated(unsafe) private var base: UnsafeMutableRawPointer?

    init(keepsMedians: Bool) { self.keepsMedians = keepsMedians }

    /// How far back medians look, in tasks.
    static let medianWindow = 63

    /// How many rows it has.
    var count: Int { Int(rowCount) }

    /// Nil when there are none.
    var rows: SeriesRows? {
        @inline(__always) get { rowCount > 0 ? room : nil }
    }

    private var room: SeriesRows? {
        @inline(__always) get { base.map { SeriesRows($0, capacity: Int(capacity), keepsMedians: keepsMedians) } }
    }

    /// When they were completed; nil when there are none.
    var moments: SortedMoments? {
        @inline(__always) get { rows.map { $0.moments(count: count, first: span.first, last: span.last) } }
    }

    // MARK: Changing, a batch at a time

    /// Marks a row as gone. It goes, and what follows it is summed again, when the batch is settled.
    mutating func mark(slot: Int32, completedAt time: Double) {
        moveUnlessOwned(capacity: Int(capacity))
        guard let rows else { return }
        var position = firstRow(notBefore: time, in: rows)
        while position < count, rows[position].slot != slot { position += 1 }
        guard position < count else { return }
        rows[position].slot = -1
        firstMarked = min(firstMarked, Int32(position))
    }

    /// Bytes that room for so many rows takes.
    func bytes(capacity: Int) -> Int { SeriesRows.bytes(capacity: capacity, keepsMedians: keepsMedians) }

    /// Moves the rows to this part of `memory`.
    mutating func move(to memory: SeriesMemory, at offset: Int, capacity: Int) {
        let place = memory.base + offset
        if let rows {
            SeriesRows(place, capacity: capacity, keepsMedians: keepsMedians).copy(from: rows, count: count)
        }
        self.memory = memory
        base = place
        self.capacity = Int32(capacity)
    }

    /// Makes the storage unique before a write, and large enough.
    mutating func moveUnlessOwned(capacity needed: Int) {
        let capacity = Int(capacity)
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
        guard let rows = room else { return }
        var first = min(Int(firstMarked), count)
        if let rank = ranks.first {
            let arrival = arrivals[Int(rank)]
            var place = firstRow(notBefore: arrival.time, in: rows)
            // From `first` on rows may be marked as gone, which have no order any more.
            while place < first, rows[place].time == arrival.time, precedes(rows[place].slot, arrival.slot) {
                place += 1
            }
            first = min(first, place)
        }
        let tail = (first..<count).filter { rows[$0].slot >= 0 }.map {
            Arrival(time: rows[$0].time, slot: rows[$0].slot)
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
            rows[next].time = row.time
            rows[next].slot = row.slot
            next += 1
        }
        rowCount = Int32(next)
        firstMarked = .max
        if count > 0 { span = (rows[0].time, rows[count - 1].time) }
        sumAgain(rows, from: first, lanes: lanes)
    }

    private func firstRow(notBefore time: Double, in rows: SeriesRows) -> Int {
        // What comes new mostly comes last.
        if count == 0 || rows[count - 1].time < time { return count }
        return firstPosition(in: count) { rows[$0].time >= time }
    }

    private func sumAgain(_ rows: SeriesRows, from first: Int, lanes: UnsafeBufferPointer<OutcomeLanes>) {
        var sum = first > 0 ? rows[first - 1].sums : .zero
        for position in first..<count {
            sum += lanes[Int(rows[position].slot)]
            rows[position].sums = sum
        }
        guard let medians = rows.medians else { return }
        var ratios = RecentMedian(size: Self.medianWindow)
        var hours = RecentMedian(size: Self.medianWindow)
        for position in rows.latestPlanned(before: first) {
            ratios.push(lanes[Int(rows[position].slot)][Lane.ratio])
        }
        for position in max(0, first - Self.medianWindow)..<first {
            hours.push(lanes[Int(rows[position].slot)][Lane.hours])
        }
        for position in first..<count {
            let row = lanes[Int(rows[position].slot)]
            if row[Lane.planned] > 0 { ratios.push(row[Lane.ratio]) }
            hours.push(row[Lane.hours])
            medians[position] = SIMD2(ratios.median, hours.median)
        }
    }
}

/// A finished allocation on its way into its series.
struct Arrival {
    /// When its outcome became known.
    var time: Double
    var slot: Int32
}
