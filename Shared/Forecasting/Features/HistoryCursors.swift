import CKernels

/// How far the series of a history have come at a moment: how many rows of each count.
///
/// Decisions mostly come in order of time. Between two of them some allocations are completed, and each of those is one row
/// more in the series of its groups. So it is counted along, and no series is searched, except when it is met for the
/// first time. Decisions in another order are answered as well, by searching again.
struct HistoryCursors: ~Copyable {
    let reader: HistoryReader
    /// Of each group, how many rows count; -1 while that has not been asked. Nil for single decisions: then all is searched.
    private let counts: UnsafeMutableBufferPointer<Int32>?
    /// Of each flow, where its three searches have ended lately.
    private let flowPlaces: UnsafeMutableBufferPointer<SIMD4<Int32>>?
    private var moment = -Double.infinity
    /// How many completions, among all, are before the moment.
    private var completed = 0

    /// - Parameter sweeping: for many decisions. The cursors then take 4 bytes per group.
    init(_ reader: HistoryReader, sweeping: Bool) {
        self.reader = reader
        counts = sweeping ? .allocate(capacity: reader.groupCount) : nil
        counts?.initialize(repeating: -1)
        flowPlaces = sweeping ? .allocate(capacity: reader.flowCount) : nil
        flowPlaces?.initialize(repeating: .zero)
    }

    deinit {
        counts?.deallocate()
        flowPlaces?.deallocate()
    }

    /// Asks for the memory that `count` reads.
    @inline(__always)
    func prefetch(_ group: Int32) {
        guard group >= 0 else { return }
        if let counts { erm_prefetch(counts.baseAddress.unsafelyUnwrapped + Int(group)) }
        prefetchWhole(reader.series(group))
    }

    /// Goes to a moment: what was completed since the last one counts from now on.
    mutating func advance(to next: Double) {
        guard let counts, let all = reader.series(0).pointee.moments, let rows = reader.series(0).pointee.rows else {
            moment = next
            return
        }
        if next < moment || moment == -.infinity {
            counts.update(repeating: -1)
            completed = all.count(before: next, from: all.guess(next))
        }
        moment = next
        while completed < all.count, rows[completed].time < next {
            counts[0] += counts[0] < 0 ? 0 : 1
            reader.entry(rows[completed].slot).pointee.groups.forEach { group in
                counts[Int(group)] += counts[Int(group)] < 0 ? 0 : 1
            }
            completed += 1
        }
    }

    /// How many rows of a group count.
    @inline(__always)
    mutating func count(_ group: Int32) -> Int {
        guard let counts else { return search(group) }
        if counts[Int(group)] < 0 { counts[Int(group)] = Int32(search(group)) }
        return Int(counts[Int(group)])
    }

    /// What a group says as of the moment, -1 for none; asks for the memory that will be read of it.
    @inline(__always)
    mutating func view(of group: Int32) -> GroupView {
        let count = group < 0 ? 0 : count(group)
        guard count > 0, let rows = reader.series(group).pointee.rows else { return .empty }
        rows.prefetch(before: count)
        return GroupView(rows, count: count)
    }

    private func search(_ group: Int32) -> Int {
        guard let moments = reader.series(group).pointee.moments else { return 0 }
        return moments.count(before: moment, from: moments.guess(moment))
    }
}

// MARK: Flows

/// How much is going on in a group as of a moment.
struct FlowView {
    /// Allocations decided before the moment.
    var decided = 0
    /// Of which finished before it; those decided after they were finished count too.
    var done = 0
    /// Decided in the week before it.
    var lately = 0
    /// The first decision, seconds since 1970.
    var first: Double?
}

extension HistoryCursors {
    private static var week: Double { 7 * 86_400 }

    /// Asks for the memory of a flow.
    @inline(__always)
    func prefetch(flow number: Int32) {
        guard number >= 0 else { return }
        prefetchWhole(reader.flow(number))
    }

    /// Asks for the memory in which `flow` will begin to search.
    @inline(__always)
    func prefetchMoments(ofFlow number: Int32) {
        guard number >= 0, let flowPlaces else { return }
        let places = flowPlaces[Int(number)]
        let flow = reader.flow(number)
        if let decisions = flow.pointee.decisions {
            decisions.prefetch(Int(places[0]))
            decisions.prefetch(Int(places[2]))
        }
        if let completions = flow.pointee.completions { completions.prefetch(Int(places[1])) }
    }

    /// How much was going on in a group at a moment.
    func flow(_ number: Int32, at moment: Double) -> FlowView {
        guard number >= 0 else { return FlowView() }
        func count(_ moments: SortedMoments?, _ search: Int, before moment: Double) -> Int {
            guard let moments else { return 0 }
            let count = moments.count(
                before: moment, from: flowPlaces.map { Int($0[Int(number)][search]) } ?? moments.guess(moment))
            flowPlaces?[Int(number)][search] = Int32(count)
            return count
        }
        let flow = reader.flow(number)
        let decisions = flow.pointee.decisions
        let decided = count(decisions, 0, before: moment)
        return FlowView(
            decided: decided, done: count(flow.pointee.completions, 1, before: moment),
            lately: decided - count(decisions, 2, before: moment - Self.week),
            first: decided > 0 ? decisions?.first : nil)
    }
}

/// Asks for the memory of a value of at most two cache lines' size.
@inline(__always)
private func prefetchWhole<Value>(_ place: UnsafePointer<Value>) {
    erm_prefetch(place)
    erm_prefetch(UnsafeRawPointer(place) + (MemoryLayout<Value>.size - 1))
}
