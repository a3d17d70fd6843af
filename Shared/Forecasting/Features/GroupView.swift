/// What one group's finished allocations say as of a moment. Good only while the history it reads is alive and unchanged.
struct GroupView {
    /// How many count as of the moment.
    let count: Int
    private let rows: SeriesRows?

    static var empty: GroupView { GroupView(count: 0, rows: nil) }

    private init(count: Int, rows: SeriesRows?) {
        self.count = count
        self.rows = rows
    }

    /// - Parameter count: how many of the rows count; at least one.
    init(_ rows: SeriesRows, count: Int) { self.init(count: count, rows: rows) }

    /// Sums over all.
    var sums: OutcomeLanes { rows.map { $0[count - 1].sums } ?? .zero }

    /// Sums over the latest `size`.
    @inline(__always)
    func latest(_ size: Int) -> OutcomeLanes {
        guard let rows else { return .zero }
        return size >= count ? rows[count - 1].sums : rows[count - 1].sums - rows[count - 1 - size].sums
    }

    /// When the latest was completed; nil without one.
    var lastCompletion: Double? { rows.map { $0[count - 1].time } }

    /// Seconds since the latest completion; nil without one.
    func age(at moment: Double) -> Double? { lastCompletion.map { moment - $0 } }

    /// The median over the latest rows that have it, and how many those are; nil without any.
    /// - Parameter ofRatios: of the log ratio to the plan, else of the log hours.
    @inline(__always)
    func median(ofRatios: Bool) -> (median: Double, count: Double)? {
        guard let rows, let medians = rows.medians else { return nil }
        let known = ofRatios ? rows[count - 1].sums[Lane.planned] : Double(count)
        guard known > 0 else { return nil }
        let median = medians[count - 1]
        return (ofRatios ? median.x : median.y, min(known, Double(GroupSeries.medianWindow)))
    }

    /// As ``median(ofRatios:)``, of a group whose medians are not kept too.
    func usual(ofRatios: Bool) -> (median: Double, count: Double)? {
        if let kept = median(ofRatios: ofRatios) { return kept }
        guard let rows else { return nil }
        let lane = ofRatios ? Lane.ratio : Lane.hours
        let latest =
            ofRatios ? rows.latestPlanned(before: count) : Array(max(0, count - GroupSeries.medianWindow)..<count)
        guard !latest.isEmpty else { return nil }
        var values = latest.map { rows[$0].sums[lane] - ($0 > 0 ? rows[$0 - 1].sums[lane] : 0) }
        return (medianInPlace(&values), Double(values.count))
    }
}

/// Partial pooling: with few rows the prior speaks, with many the rows themselves.
@inline(__always)
func shrunk(_ sum: Double, _ count: Double, toward prior: Double, strength: Double) -> Double {
    (sum + strength * prior) / (count + strength)
}
