/// The model of one kind of question, laid out to be asked about many people at once. What the latest outcomes move
/// (``Recalibration``) is no part of it.
struct PreparedVariant: Sendable {
    enum Member: Sendable {
        case trees(PreparedTrees)
        case linear(RidgeModel)
        /// Asked row by row.
        case other(HoursMember)
    }

    /// The columns in which people who are asked the same may differ.
    let personal: [Int]
    /// Per column its place among them; -1 for one that all have in common.
    let places: [Int32]
    let members: [Member]
    let success: PreparedTrees?
    /// Of the inner range, its two ends.
    let inner: (low: PreparedTrees, high: PreparedTrees)?

    init(_ variant: VariantModel) {
        personal = variant.schema.personalColumns
        var places = [Int32](repeating: -1, count: variant.columns.count)
        for (place, column) in personal.enumerated() { places[column] = Int32(place) }
        self.places = places
        func prepared(_ trees: BoostedTrees) -> PreparedTrees? { PreparedTrees(trees, places: places) }
        members = variant.candidates[variant.winner].members.map { name in
            let member = variant.members[name]
            switch member {
            case .trees(let trees): return prepared(trees).map(Member.trees) ?? .other(member)
            case .linear(let model): return .linear(model)
            case .planned, .shrunkMedian, .constant, .network: return .other(member)
            }
        }
        success = variant.success?.trees.flatMap(prepared)
        inner = variant.intervals.levels.first.flatMap { level in
            guard let low = prepared(level.low), let high = prepared(level.high) else { return nil }
            return (low, high)
        }
    }
}
