/// One allowance that a request counts against.
struct LimitCount: Sendable {
    let holder: LimitHolder
    let name: String
    let allowance: GatewayConfiguration.Allowance
    /// Says so to who exceeds it.
    let sentence: String
}

/// What this node counts for each holder, and which share of each allowance it uses. A plain value: time is given to it.
struct LimitMeters: Sendable {
    typealias Allowance = GatewayConfiguration.Allowance
    typealias Instant = ContinuousClock.Instant

    private struct Meter {
        var bucket: TokenBucket
        /// The whole, of which this node uses a share.
        var allowance: Allowance
        /// Since the last look.
        var asked = 0
        var wasRefused = false
        /// Requests a second, one look after the other.
        var demand = 0.0

        /// Forgets what was asked while nobody looked: it may be the requests of a week.
        mutating func beginLooks() {
            asked = 0
            wasRefused = false
        }

        mutating func ask(_ whole: Allowance, _ mine: Allowance, _ now: Instant) -> Duration? {
            allowance = whole
            asked += 1
            let wait = bucket.wait(mine, now: now)
            if wait != nil { wasRefused = true }
            return wait
        }
    }

    /// The most buckets; beyond it the full ones are removed.
    static let maximumCount = 100_000
    /// The most addresses whose demand one node tells.
    static let mostAddresses = 500
    /// A demand below this part of the node's N-th need not be watched any more.
    private static let quiet = 0.01
    /// Of its N-th, beyond which a node wants shares by demand.
    private static let busy = 0.5

    private typealias Meters = [LimitHolder: Meter]
    private var meters: Meters = [:]
    /// Those with a demand, without addresses.
    private var watched: Set<LimitHolder> = []
    /// Addresses that ask for much. A stranger may have more of them than could be told: of N nodes each grants the others an N-th.
    private var strained: Set<LimitHolder> = []
    private var rows: LimitShares.Rows = [:]
    private var nodes = 1
    private var rowsEnd: Instant?
    private var lookedAt: Instant?

    /// What becomes of a request that counts against several allowances.
    enum Outcome: Sendable, Equatable {
        /// The index of the allowance with the fewest requests left, their number, and the time until its bucket is full again.
        case passes(index: Int, requests: Int, reset: Duration)
        /// The index of the allowance that must be waited for longest.
        case waits(index: Int, Duration)

        var index: Int {
            switch self {
            case .passes(let index, _, _), .waits(let index, _): index
            }
        }
    }

    /// Takes one from each, or from none when one of them has none left.
    ///
    /// - Parameter counts: at least one.
    mutating func admit(_ counts: [LimitCount], now: Instant) -> Outcome {
        var longest: (index: Int, wait: Duration)?
        for (index, count) in counts.enumerated() {
            guard let wait = ask(count.holder, count.allowance, now: now) else { continue }
            if let known = longest, known.wait >= wait { continue }
            longest = (index, wait)
        }
        if let longest { return .waits(index: longest.index, longest.wait) }
        var least = Outcome.passes(index: 0, requests: .max, reset: .zero)
        var fewest = Int.max
        for (index, count) in counts.enumerated() {
            let (requests, reset) = take(count.holder, now: now)
            guard requests < fewest else { continue }
            fewest = requests
            least = .passes(index: index, requests: requests, reset: reset)
        }
        return least
    }

    /// nil when the holder may be asked for once more, else how long until then. Takes nothing.
    mutating func ask(_ holder: LimitHolder, _ allowance: Allowance, now: Instant) -> Duration? {
        if meters.count >= Self.maximumCount, meters[holder] == nil { forget(now) }
        let mine = allowance.part(share(of: holder, now))
        var known = meters.index(forKey: holder)
        if known == nil {
            meters[holder] = Meter(bucket: TokenBucket(mine, now: now), allowance: allowance)
            known = meters.index(forKey: holder)
        }
        guard let index = known else { return nil }
        if meters.values[index].asked == 0, !holder.isAddress { watched.insert(holder) }
        let wait = meters.values[index].ask(allowance, mine, now)
        if holder.isAddress { watch(address: holder, at: index, mine) }
        return wait
    }

    /// Begins when half of what this node grants the address is used up.
    private mutating func watch(address: LimitHolder, at index: Meters.Index, _ mine: Allowance) {
        guard meters.values[index].bucket.tokens < mine.burst / 2, strained.count < Self.mostAddresses,
            strained.insert(address).inserted
        else { return }
        // What was asked before belongs to no look.
        meters.values[index].asked = 1
    }

    /// Takes one, after ``ask(_:_:now:)`` has found that there is one.
    ///
    /// - Returns: how many are left on this node, and when the bucket is full again.
    mutating func take(_ holder: LimitHolder, now: Instant) -> (requests: Int, reset: Duration) {
        let share = share(of: holder, now)
        guard let index = meters.index(forKey: holder) else { return (0, .zero) }
        let mine = meters.values[index].allowance.part(share)
        _ = meters.values[index].bucket.take(mine, now: now)
        let bucket = meters.values[index].bucket
        return (bucket.whole, .seconds((mine.burst - bucket.tokens) / mine.perSecond))
    }

    private func share(of holder: LimitHolder, _ now: Instant) -> Double {
        guard let rowsEnd, now < rowsEnd, let row = rows[holder] else { return 1 / Double(nodes) }
        return row.share
    }

    /// This node's part of what all nodes say to each other.
    mutating func demands(now: Instant) -> LimitShares.Rows {
        let seconds = lookedAt.map { max(0.001, (now - $0) / .seconds(1)) } ?? 1
        lookedAt = now
        var demands: LimitShares.Rows = [:]
        for holder in watched.union(strained).union(rows.keys) {
            guard let index = meters.index(forKey: holder) else {
                forget(demandOf: holder)
                continue
            }
            let rate = Double(meters.values[index].asked) / seconds
            let before = meters.values[index].demand
            // Up at once, down by halves: a pause between two requests is no end of the demand.
            let demand = rate > before ? rate : (rate + before) / 2
            meters.values[index].demand = demand
            let ofAll = demand / meters.values[index].allowance.perSecond
            let isWanted = meters.values[index].wasRefused || ofAll * Double(nodes) > Self.busy
            meters.values[index].asked = 0
            meters.values[index].wasRefused = false
            if ofAll * Double(nodes) < Self.quiet { forget(demandOf: holder) }
            let share = share(of: holder, now)
            demands[holder] = LimitShares.Row(
                demand: ofAll, share: share,
                fill: meters.values[index].bucket.fill(meters.values[index].allowance.part(share), now: now),
                isWanted: isWanted)
        }
        return demands
    }

    /// As ``LimitStage/use(_:beside:until:)``.
    mutating func use(_ new: LimitShares.Rows, beside others: [LimitShares.Rows], until end: Instant, now: Instant) {
        for (holder, row) in new {
            guard let index = meters.index(forKey: holder) else { continue }
            if rows[holder] == nil, holder.isAddress, !strained.contains(holder) { meters.values[index].beginLooks() }
            let before = share(of: holder, now)
            // What a smaller share cannot use goes to the others with it.
            let kept = min(1, row.share / before)
            let gained = LimitShares.gained(row.share, over: before, beside: others.map { $0[holder] })
            meters.values[index].bucket.change(times: kept, plus: gained * meters.values[index].allowance.burst)
        }
        rows = new
        nodes = others.count + 1
        rowsEnd = end
    }

    private mutating func forget(demandOf holder: LimitHolder) {
        watched.remove(holder)
        strained.remove(holder)
    }

    private mutating func forget(_ now: Instant) {
        let nodes = Double(nodes)
        meters = meters.filter { !$1.bucket.isFull($1.allowance.part(1 / nodes), now: now) }
        if meters.count >= Self.maximumCount { meters.removeAll(keepingCapacity: true) }
        watched = watched.filter { meters[$0] != nil }
        strained = strained.filter { meters[$0] != nil }
    }
}

extension LimitHolder {
    fileprivate var isAddress: Bool { if case .address = self { true } else { false } }
}

extension GatewayConfiguration.Allowance {
    /// A bucket that never holds a whole request would refuse every one.
    fileprivate func part(_ share: Double) -> GatewayConfiguration.Allowance {
        share == 1 ? self : .init(perSecond: perSecond * share, burst: max(1, burst * share))
    }
}
