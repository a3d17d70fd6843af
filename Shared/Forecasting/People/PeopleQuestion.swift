/// One question to a model about many people, a block at a time. For one thread.
///
/// What is done for each row counts no references: on two cores that count those of one model, thousands of rows would spend most
/// of their time waiting for each other.
struct PeopleQuestion {
    private enum Part {
        case trees(AskedTrees)
        /// By its place among `linears`.
        case linear(Int)
        case other(HoursMember)
    }

    private let prepared: PreparedVariant
    private let variant: VariantModel
    private let answers: RowAnswers
    private let members: [Part]
    private let linears: AskedLinears
    private let successTrees: AskedTrees?
    /// Trees that could not be laid out are asked row by row.
    private let asksSuccessByRow: Bool
    /// Of each person asked about, in their order; empty where nobody's answer moves.
    private let moves: [Double]
    /// A row with what all have in common.
    private var row: [Float]
    private var sums = [Double](repeating: 0, count: PeopleBlock.rows)
    private var one = [Double](repeating: 0, count: PeopleBlock.rows)
    private var ofSuccessTrees = [Double](repeating: 0, count: PeopleBlock.rows)
    /// The few rows whose answers need the inner range.
    private var late = LateRows()
    /// The ends of the inner range: laid out for the question when the first row needs them.
    private var inner: (low: AskedTrees, high: AskedTrees)?

    /// - Parameters:
    ///   - prepared: of the variant.
    ///   - moves: by which the latest errors move each person's estimate (``LatestErrors``); empty for none.
    ///   - row: any row of the question.
    init(_ prepared: PreparedVariant, _ variant: VariantModel, planned: Double, moves: [Double], row: [Float]) {
        self.moves = moves
        self.prepared = prepared
        self.variant = variant
        self.row = row
        answers = RowAnswers(variant, planned: planned)
        asksSuccessByRow = variant.success?.trees != nil && prepared.success.trees == nil
        (members, linears, successTrees) = row.withUnsafeBufferPointer { row in
            guard let row = row.baseAddress else { preconditionFailure("a schema has features") }
            let members = prepared.members.map { member -> Part in
                switch member {
                case .trees(let trees): .trees(trees.asked(row))
                case .linear(let place): .linear(place)
                case .other(let member): .other(member)
                }
            }
            return (members, prepared.linears.asked(row), prepared.success.trees?.asked(row))
        }
    }

    /// Answers the people of one block, but for those that have to wait for others (``finish(_:)``).
    /// - Parameter first: the place of the first one among all.
    mutating func ask(
        _ block: UnsafePointer<Float>, count: Int, first: Int, _ body: (_ place: Int, PersonEstimate) -> Void
    ) {
        linears.predict(block)
        for lane in sums.indices { sums[lane] = 0 }
        for member in members {
            switch member {
            case .trees(let trees): trees.predict(block, into: &one)
            case .linear(let place):
                let predictions = linears.predictions(at: place)
                for lane in sums.indices { one[lane] = predictions[lane] }
            case .other(let member):
                for lane in 0..<count {
                    fill(lane, of: block)
                    one[lane] = row.withUnsafeBufferPointer { member.predict($0, columns: variant.columns) }
                }
            }
            for lane in sums.indices { sums[lane] += one[lane] }
        }
        successTrees?.predict(block, into: &ofSuccessTrees)
        let ofSuccessLinear = prepared.success.linear.map { linears.predictions(at: $0) }
        for lane in 0..<count {
            let move = moves.isEmpty ? 0 : moves[first + lane]
            let estimate = answers.estimate(sums[lane], move: move)
            let chance =
                asksSuccessByRow
                ? successByRow(lane, of: block)
                : answers.chance(linear: ofSuccessLinear.map { $0[lane] } ?? 0, trees: ofSuccessTrees[lane])
            var isLate = false
            let answer = answers.answer(estimate, chance) {
                isLate = true
                return nil
            }
            guard isLate, answers.hasInnerRange else {
                body(first + lane, answer)
                continue
            }
            late.add(lane, of: block, columns: prepared.personal.count, (first + lane, estimate, chance, move))
            if late.isFull { finish(body) }
        }
    }

    /// Answers those that have waited.
    mutating func finish(_ body: (_ place: Int, PersonEstimate) -> Void) {
        guard !late.rows.isEmpty, let level = variant.intervals.levels.first else { return }
        let block = late.block
        var (low, high) = (sums, sums)
        if let trees = prepared.inner {
            let ends =
                inner
                ?? row.withUnsafeBufferPointer { row in
                    row.baseAddress.map { (trees.low.asked($0), trees.high.asked($0)) }
                }
            inner = ends
            ends?.low.predict(block, into: &low)
            ends?.high.predict(block, into: &high)
        }
        for (lane, waiting) in late.rows.enumerated() {
            if prepared.inner == nil {
                fill(lane, of: block)
                (low[lane], high[lane]) = row.withUnsafeBufferPointer { row in
                    row.baseAddress.map { (level.low.predict($0), level.high.predict($0)) } ?? (0, 0)
                }
            }
            let range = level.range(low[lane], high[lane], around: waiting.estimate, move: waiting.move)
            body(
                waiting.place,
                answers.answer(waiting.estimate, waiting.chance) { (level.level, range.low, range.high) })
        }
        late.rows.removeAll(keepingCapacity: true)
    }

    private mutating func successByRow(_ lane: Int, of block: UnsafePointer<Float>) -> Double? {
        fill(lane, of: block)
        return row.withUnsafeBufferPointer { row in
            row.baseAddress.flatMap { variant.success?.probability($0) }
        }
    }

    /// Makes `row` the row of one person of the block.
    private mutating func fill(_ lane: Int, of block: UnsafePointer<Float>) {
        for (place, column) in prepared.personal.enumerated() { row[column] = block[place * PeopleBlock.rows + lane] }
    }
}

/// Rows put aside until there is a block of them.
private struct LateRows {
    typealias Row = (place: Int, estimate: Double, chance: Double?, move: Double)

    private(set) var block: [Float] = []
    var rows: [Row] = []

    var isFull: Bool { rows.count == PeopleBlock.rows }

    mutating func add(_ lane: Int, of other: UnsafePointer<Float>, columns: Int, _ row: Row) {
        if block.isEmpty { block = [Float](repeating: 0, count: max(1, columns) * PeopleBlock.rows) }
        for column in 0..<columns {
            block[column * PeopleBlock.rows + rows.count] = other[column * PeopleBlock.rows + lane]
        }
        rows.append(row)
    }
}

/// What makes an answer of what the members of a model say of a row: numbers only.
private struct RowAnswers {
    let hasInnerRange: Bool
    private let withPlan: Bool
    private let planned: Double
    private let memberCount: Int
    private let trust: Double
    private let snap: Double
    private let success: (linearShare: Double, calibration: EventCalibration, hasLinear: Bool, hasTrees: Bool)?

    init(_ variant: VariantModel, planned: Double) {
        let winner = variant.candidates[variant.winner]
        hasInnerRange = !variant.intervals.levels.isEmpty
        withPlan = variant.schema.withPlan
        self.planned = planned
        memberCount = winner.members.count
        (trust, snap) = (winner.trust, winner.snap)
        success = variant.success.map { ($0.linearShare, $0.calibration, $0.linear != nil, $0.trees != nil) }
    }

    func estimate(_ sum: Double, move: Double) -> Double {
        HoursCandidate.combine(
            HoursCandidate.mean(sum: sum, of: memberCount, trust: trust), move: move, snap: snap)
    }

    /// - Parameters: what the classifier's parts say; of no account where it has none.
    func chance(linear: Double, trees: Double) -> Double? {
        guard let success else { return nil }
        return success.calibration.probability(
            EventClassifier.raw(
                linear: success.hasLinear ? linear : nil, trees: success.hasTrees ? trees : nil,
                linearShare: success.linearShare, baseRate: success.calibration.baseRate))
    }

    /// As ``VariantModel/answer(_:)`` has it.
    func answer(
        _ estimate: Double, _ chance: Double?, inner: () -> PredictiveDistribution.Range?
    ) -> PersonEstimate {
        guard withPlan, let success, let chance else {
            return PersonEstimate(hours: hours(estimate), successProbability: chance)
        }
        let said = PredictiveDistribution.chance(chance, by: success.calibration, beside: estimate)
        return PersonEstimate(
            hours: hours(PredictiveDistribution.median(estimate, withinPlan: said, inner: inner())),
            successProbability: said)
    }

    private func hours(_ median: Double) -> Double {
        VariantModel.hours(median, planned: planned, withPlan: withPlan)
    }
}
