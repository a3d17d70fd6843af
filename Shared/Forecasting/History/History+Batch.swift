extension History {
    /// What changes of a batch have touched, to be brought in order once at its end.
    struct Batch {
        /// Entries that may have to be linked; some more than once, some in vain.
        var slots: [Int32] = []
        var flows: [Int] = []
        var employees: Set<String> = []
        /// Series with marked rows.
        var marked: Set<Int32> = []
    }

    /// Marks an entry as gone in its series.
    mutating func unlink(_ slot: Int32, _ batch: inout Batch) {
        guard isLinked[Int(slot)] else { return }
        let time = entries[Int(slot)].outcomeTime ?? 0
        forEachSeries(of: slot) {
            series[Int($0)].mark(slot: slot, completedAt: time)
            batch.marked.insert($0)
        }
        isLinked[Int(slot)] = false
        outcomeDigest &-= entries[Int(slot)].outcomeDigest
    }

    /// Brings everything that a batch has touched in order again: each series once.
    /// The result does not depend on how changes were cut into batches, nor on the number of cores.
    mutating func settle(_ batch: Batch, on cores: Cores) {
        for flow in batch.flows { flows[flow].sort() }
        let arrivals = arrivals(among: batch.slots)
        // Most live changes touch no series: those of a large history are not looked through for them.
        guard !arrivals.isEmpty || !batch.marked.isEmpty else { return }
        kept = KeptFigures()
        let work = SeriesWork(arrivals, groups: series.count, marked: batch.marked) { slot, visit in
            forEachSeries(of: slot, visit)
        }
        makeRoom(for: work)
        series.withUnsafeMutableBufferPointer { series in
            if arrivals.count >= SeriesWork.leastPiece {
                HugePages.gather(UnsafeMutableRawBufferPointer(series))
            }
            nonisolated(unsafe) let series = series
            arrivals.withUnsafeBufferPointer { arrivals in
                nonisolated(unsafe) let arrivals = arrivals
                lanes.withUnsafeBufferPointer { lanes in
                    nonisolated(unsafe) let lanes = lanes
                    work.forEachGroup(on: cores) { group, ranks in
                        series[group].settle(ranks, of: arrivals, lanes: lanes) {
                            entries[Int($0)].completes(before: entries[Int($1)])
                        }
                    }
                }
            }
        }
    }

    /// Entries to be linked, in order of completion.
    private mutating func arrivals(among slots: [Int32]) -> [Arrival] {
        var arrivals: [Arrival] = []
        arrivals.reserveCapacity(slots.count)
        for slot in slots where !isLinked[Int(slot)] {
            guard let time = entries[Int(slot)].outcomeTime else { continue }
            isLinked[Int(slot)] = true
            outcomeDigest &+= entries[Int(slot)].outcomeDigest
            arrivals.append(Arrival(time: time, slot: slot))
        }
        arrivals.sort {
            $0.time != $1.time ? $0.time < $1.time : entries[Int($0.slot)].completes(before: entries[Int($1.slot)])
        }
        return arrivals
    }

    /// New series get their parts of one memory, those that have rows already grow on their own.
    private mutating func makeRoom(for work: SeriesWork) {
        var bytes = 0
        for group in work.groups where series[group].count == 0 {
            bytes += series[group].bytes(capacity: work.count(of: group))
        }
        let shared = SeriesMemory(bytes: bytes)
        var offset = 0
        for group in work.groups {
            let new = work.count(of: group)
            if series[group].count == 0 {
                series[group].move(to: shared, at: offset, capacity: new)
                offset += series[group].bytes(capacity: new)
            } else {
                series[group].moveUnlessOwned(capacity: series[group].count + new)
            }
        }
    }

    private func forEachSeries(of slot: Int32, _ body: (Int32) -> Void) {
        body(0)
        entries[Int(slot)].groups.forEach(body)
    }
}

/// Which arrivals go into which series.
private struct SeriesWork {
    /// Series with something to do, ascending.
    private(set) var groups: [Int] = []
    /// Per series, where its part of `ranks` begins.
    private var starts: [Int]
    /// Ranks of arrivals, series by series, ascending in each.
    private var ranks: [Int32]

    init(_ arrivals: [Arrival], groups count: Int, marked: Set<Int32>, forEachSeries: (Int32, (Int32) -> Void) -> Void)
    {
        var starts = [Int](repeating: 0, count: count + 1)
        for arrival in arrivals { forEachSeries(arrival.slot) { starts[Int($0) + 1] += 1 } }
        for group in 0..<count {
            if starts[group + 1] > 0 || marked.contains(Int32(group)) { groups.append(group) }
            starts[group + 1] += starts[group]
        }
        var next = starts
        ranks = [Int32](unsafeUninitializedCapacity: starts[count]) { ranks, initialized in
            for (rank, arrival) in arrivals.enumerated() {
                forEachSeries(arrival.slot) {
                    ranks[next[Int($0)]] = Int32(rank)
                    next[Int($0)] += 1
                }
            }
            initialized = starts[count]
        }
        self.starts = starts
    }

    func count(of group: Int) -> Int { starts[group + 1] - starts[group] }

    /// Each group with the ranks of its arrivals.
    func forEachGroup(on cores: Cores, _ body: (Int, UnsafeBufferPointer<Int32>) -> Void) {
        ranks.withUnsafeBufferPointer { ranks in
            nonisolated(unsafe) let ranks = ranks
            withoutActuallyEscaping(body) { body in
                nonisolated(unsafe) let body = body
                let pieces = pieces
                cores.perform(pieces.count) { piece in
                    for group in groups[pieces[piece]] {
                        body(group, UnsafeBufferPointer(rebasing: ranks[starts[group]..<starts[group + 1]]))
                    }
                }
            }
        }
    }

    /// Less work is not worth a core of its own.
    static let leastPiece = 20_000

    /// The groups cut into pieces of about equal work, a single one when there is little.
    private var pieces: [Range<Int>] {
        var pieces: [Range<Int>] = []
        var (first, work) = (0, 0)
        for (place, group) in groups.enumerated() {
            work += count(of: group) + 1
            if work >= Self.leastPiece || place == groups.count - 1 {
                pieces.append(first..<place + 1)
                (first, work) = (place + 1, 0)
            }
        }
        return pieces
    }
}
