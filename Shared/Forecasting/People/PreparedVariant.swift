/// The model of one kind of question, laid out to be asked about many people at once. What the latest outcomes move
/// (``Recalibration``) is no part of it.
struct PreparedVariant: Sendable {
    enum Member: Sendable {
        case trees(PreparedTrees)
        /// By its place among `linears`.
        case linear(Int)
        /// Asked row by row.
        case other(HoursMember)
    }

    /// The columns in which people who are asked the same may differ.
    let personal: [Int]
    /// Which of them are ages, by their places among them.
    let ages: [Int]
    let members: [Member]
    let linears: PreparedLinears
    /// Of the classifier of success, its linear part's place among `linears` and its trees.
    let success: (linear: Int?, trees: PreparedTrees?)
    /// Of the inner range, its two ends.
    let inner: (low: PreparedTrees, high: PreparedTrees)?

    init(_ variant: VariantModel) {
        personal = variant.schema.personalColumns
        ages = variant.schema.personalAges
        var places = [Int32](repeating: -1, count: variant.columns.count)
        for (place, column) in personal.enumerated() { places[column] = Int32(place) }
        func prepared(_ trees: BoostedTrees) -> PreparedTrees? { PreparedTrees(trees, places: places) }
        let asked = variant.candidates[variant.winner].members.map { variant.members[$0] }
        var models: [RidgeModel] = []
        for case .linear(let model) in asked { models.append(model) }
        let ofSuccess = variant.success?.linear
        let linears = PreparedLinears(models + (ofSuccess.map { [$0] } ?? []), places: places)
        self.linears = linears
        var linear = 0
        members = asked.map { member in
            switch member {
            case .trees(let trees): return prepared(trees).map(Member.trees) ?? .other(member)
            case .linear:
                defer { linear += 1 }
                return .linear(linears.place(of: linear))
            case .planned, .shrunkMedian, .constant, .network: return .other(member)
            }
        }
        success = (ofSuccess.map { _ in linears.place(of: models.count) }, variant.success?.trees.flatMap(prepared))
        inner = variant.intervals.levels.first.flatMap { level in
            guard let low = prepared(level.low), let high = prepared(level.high) else { return nil }
            return (low, high)
        }
    }
}
