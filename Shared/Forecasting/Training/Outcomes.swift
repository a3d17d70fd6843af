/// Rows whose outcomes are known, and what each counts for.
struct Outcomes {
    var rows: [Int]
    /// With a mean of 1; empty when all count alike.
    var weights: [Double]
    /// How many rows there are beside these whose work lasts longer than is known: nothing finished can stand for them.
    var beyond = 0.0

    init(_ rows: some Sequence<Int>, _ weights: some Sequence<Double>) {
        self.rows = Array(rows)
        self.weights = Array(weights)
    }

    func picking(_ isPicked: (Int) -> Bool) -> Outcomes {
        let places = rows.indices.filter { isPicked(rows[$0]) }
        var picked = Outcomes(places.map { rows[$0] }, weights.isEmpty ? [] : places.map { weights[$0] })
        picked.beyond = rows.isEmpty ? 0 : beyond * Double(places.count) / Double(rows.count)
        return picked
    }

    /// The last so many.
    func newest(_ count: Int) -> Outcomes { Outcomes(rows.suffix(count), weights.suffix(count)) }

    func adding(_ other: Outcomes) -> Outcomes {
        var sum = Outcomes(
            rows + other.rows,
            VariantTrainer.joined([(rows.count, weights), (other.rows.count, other.weights)]))
        sum.beyond = beyond + other.beyond
        return sum
    }
}

/// What members said of rows before they were fitted to them.
struct Spoken {
    /// Rows that the serving recipe's own members spoke of.
    var last: Outcomes
    var lastPredictions: MemberPredictions
    /// Those, and rows that members of earlier windows spoke of.
    var pooled: Outcomes
    var pooledPredictions: MemberPredictions

    func adding(_ rows: Outcomes, _ predictions: MemberPredictions) -> Spoken {
        Spoken(
            last: last.adding(rows), lastPredictions: .joined([lastPredictions, predictions]),
            pooled: pooled.adding(rows), pooledPredictions: .joined([pooledPredictions, predictions]))
    }

    /// Enough rows to calibrate on: the last ones, and where those are few, those of all windows, whose members had less to
    /// learn from and so err on the side of caution.
    var enough: (rows: Outcomes, predictions: MemberPredictions) {
        last.rows.count >= Self.enough ? (last, lastPredictions) : (pooled, pooledPredictions)
    }

    private static let enough = 60
}
