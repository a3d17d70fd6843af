/// What the groups of one kind say of many people: of each person's own work, or of it with one skill set, on one project, ….
final class PeopleFigures: Sendable {
    /// By place.
    let groups: FixedValues<GroupFigures>
    /// What more special groups of the same people are shrunk toward.
    let pooled: FixedValues<PooledFigures>

    /// People whose memory is asked for before any of it is waited for.
    private static let batch = 16

    /// - Parameters:
    ///   - groups: of each person, -1 for none.
    ///   - prior: what the group at a place is shrunk toward.
    ///   - medianPrior: the same of the median; nil for kinds without.
    init(
        _ groups: [Int32], depth: Int, _ context: PooledHistory, _ cursors: inout HistoryCursors,
        prior: (_ place: Int) -> PooledFigures, medianPrior: ((_ place: Int) -> Double)? = nil
    ) {
        var figures: [GroupFigures] = []
        var pooled: [PooledFigures] = []
        figures.reserveCapacity(groups.count)
        pooled.reserveCapacity(groups.count)
        var views: [GroupView] = []
        for first in stride(from: 0, to: groups.count, by: Self.batch) {
            let part = groups[first..<min(first + Self.batch, groups.count)]
            for group in part { cursors.prefetch(group) }
            views.removeAll(keepingCapacity: true)
            for group in part { views.append(cursors.view(of: group)) }
            for (offset, view) in views.enumerated() {
                let own = context.pool(view, toward: prior(first + offset))
                let median = medianPrior.map { context.median(view, toward: $0(first + offset)) } ?? .nan
                figures.append(GroupFigures(own, depth: depth, context, median: median))
                pooled.append(own.figures)
            }
        }
        self.groups = FixedValues(figures)
        self.pooled = FixedValues(pooled)
    }

    /// Where a person is: those who are in no place of their own are at the last.
    @inline(__always)
    func place(_ number: Int) -> Int { min(number, groups.count - 1) }

    /// How much memory it takes.
    var bytes: Int {
        groups.count * (MemoryLayout<GroupFigures>.stride + MemoryLayout<PooledFigures>.stride)
    }
}
