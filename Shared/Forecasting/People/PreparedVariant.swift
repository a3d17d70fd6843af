import Foundation

/// The model of one kind of question, laid out to be asked about many people at once.
struct PreparedVariant: Sendable {
    private enum Member: Sendable {
        case trees(PreparedTrees)
        case linear(RidgeModel)
        /// Asked row by row.
        case other(HoursMember)
    }

    let variant: VariantModel
    private let members: [Member]
    private let successTrees: PreparedTrees?
    /// Of the inner range, its two ends.
    private let inner: (low: PreparedTrees, high: PreparedTrees)?

    init(_ variant: VariantModel) {
        self.variant = variant
        members = variant.candidates[variant.winner].members.map { name in
            let member = variant.members[name]
            switch member {
            case .trees(let trees): return PreparedTrees(trees).map(Member.trees) ?? .other(member)
            case .linear(let model): return .linear(model)
            case .planned, .shrunkMedian, .constant, .network: return .other(member)
            }
        }
        successTrees = variant.success?.trees.flatMap(PreparedTrees.init)
        inner = variant.intervals.levels.first.flatMap { level in
            guard let low = PreparedTrees(level.low), let high = PreparedTrees(level.high) else { return nil }
            return (low, high)
        }
    }

    /// What the model says of rows that are the same in all columns but some.
    ///
    /// For one thread.
    struct Asked {
        private enum Part {
            case trees(PreparedTrees.Asked)
            case linear(AskedLinear)
            case other(HoursMember)
        }

        private let prepared: PreparedVariant
        private let variant: VariantModel
        private let planned: Double
        private let columns: Int
        /// The columns that differ.
        private let varied: [Int]
        private var members: [Part]
        private var successLinear: AskedLinear?
        private var successTrees: PreparedTrees.Asked?
        /// Trees that could not be laid out are asked row by row.
        private let asksSuccessByRow: Bool
        /// Of the inner range, which few questions need: laid out for the question when the first row needs it.
        private var inner: (low: PreparedTrees.Asked, high: PreparedTrees.Asked)?
        /// What the two ends are of the rows of the present block; nil until a row of it needs them.
        private var innerEnds: (low: [Double], high: [Double])?
        private let places: [Int32]
        private let firstRow: [Float]

        /// - Parameters:
        ///   - row: any of the rows.
        ///   - varied: the columns in which rows differ.
        fileprivate init(_ prepared: PreparedVariant, planned: Double, _ row: UnsafePointer<Float>, varied: [Int]) {
            self.prepared = prepared
            variant = prepared.variant
            self.planned = planned
            columns = variant.columns.count
            self.varied = varied
            var places = [Int32](repeating: -1, count: columns)
            for (place, column) in varied.enumerated() { places[column] = Int32(place) }
            self.places = places
            firstRow = Array(UnsafeBufferPointer(start: row, count: columns))
            members = prepared.members.map { member in
                switch member {
                case .trees(let trees): .trees(trees.asked(row, places: places))
                case .linear(let model): .linear(AskedLinear(model, row, places: places))
                case .other(let member): .other(member)
                }
            }
            let success = prepared.variant.success
            asksSuccessByRow = success?.trees != nil && prepared.successTrees == nil
            successLinear = success?.linear.map { AskedLinear($0, row, places: places) }
            successTrees = prepared.successTrees?.asked(row, places: places)
        }

        /// - Parameter rows: row-major, of the schema's columns.
        mutating func estimates(_ rows: UnsafeBufferPointer<Float>, _ body: (PersonEstimate) -> Void) {
            let count = rows.count / columns
            let size = PeopleBlock.rows
            var block = [Float](repeating: 0, count: max(1, varied.count) * size)
            var sums = [Double](repeating: 0, count: size)
            var one = sums
            var raw = (linear: sums, trees: sums)
            for first in stride(from: 0, to: count, by: size) {
                let part = min(size, count - first)
                gather(rows, first, part, into: &block)
                innerEnds = nil
                for lane in 0..<size { sums[lane] = 0 }
                for member in members.indices {
                    predict(member, block, rows, first, part, into: &one)
                    for lane in 0..<part { sums[lane] += one[lane] }
                }
                successLinear?.predict(block, into: &raw.linear)
                successTrees?.predict(block, into: &raw.trees)
                for lane in 0..<part {
                    let estimate = variant.candidates[variant.winner].combine(sum: sums[lane], of: members.count)
                    let row = row(first + lane, in: rows)
                    var success = success(linear: raw.linear[lane], trees: raw.trees[lane], row)
                    if variant.schema.withPlan, let classifier = variant.success, let chance = success {
                        success = PredictiveDistribution.chance(classifier, chance, beside: estimate)
                    }
                    body(
                        PersonEstimate(
                            hours: variant.hours(
                                median(estimate, success, row, block: block, lane: lane), planned: planned),
                            successProbability: success))
                }
            }
        }

        private func success(linear: Double, trees: Double, _ row: UnsafeBufferPointer<Float>) -> Double? {
            guard let success = variant.success else { return nil }
            guard !asksSuccessByRow else { return row.baseAddress.map { success.probability($0) } }
            return success.calibration.probability(
                success.raw(
                    linear: successLinear == nil ? nil : linear, trees: successTrees == nil ? nil : trees))
        }

        /// As ``VariantModel/answer(_:)`` has it.
        private mutating func median(
            _ estimate: Double, _ success: Double?, _ row: UnsafeBufferPointer<Float>, block: [Float], lane: Int
        ) -> Double {
            guard variant.schema.withPlan else { return estimate }
            return PredictiveDistribution.median(
                estimate, withinPlan: success, inner: innerRange(estimate, row, block: block, lane: lane))
        }

        private mutating func innerRange(
            _ estimate: Double, _ row: UnsafeBufferPointer<Float>, block: [Float], lane: Int
        ) -> PredictiveDistribution.Range? {
            guard let level = variant.intervals.levels.first, let base = row.baseAddress else { return nil }
            var ends = (low: 0.0, high: 0.0)
            if let trees = prepared.inner {
                if innerEnds == nil {
                    if inner == nil {
                        inner = (
                            trees.low.asked(firstRow, places: places), trees.high.asked(firstRow, places: places)
                        )
                    }
                    var low = [Double](repeating: 0, count: PeopleBlock.rows)
                    var high = low
                    inner?.low.predict(block, into: &low)
                    inner?.high.predict(block, into: &high)
                    innerEnds = (low, high)
                }
                if let known = innerEnds { ends = (known.low[lane], known.high[lane]) }
            } else {
                ends = (level.low.predict(base), level.high.predict(base))
            }
            let range = level.range(ends.low, ends.high, around: estimate)
            return (level.level, range.low, range.high)
        }

        private func row(_ row: Int, in rows: UnsafeBufferPointer<Float>) -> UnsafeBufferPointer<Float> {
            UnsafeBufferPointer(rebasing: rows[row * columns..<(row + 1) * columns])
        }

        /// Column by column; places of rows beyond the last repeat the first.
        private func gather(_ rows: UnsafeBufferPointer<Float>, _ first: Int, _ part: Int, into block: inout [Float]) {
            let size = PeopleBlock.rows
            block.withUnsafeMutableBufferPointer { block in
                for lane in 0..<size {
                    let start = (first + (lane < part ? lane : 0)) * columns
                    for (place, column) in varied.enumerated() { block[place * size + lane] = rows[start + column] }
                }
            }
        }

        private mutating func predict(
            _ member: Int, _ block: [Float], _ rows: UnsafeBufferPointer<Float>, _ first: Int, _ part: Int,
            into predictions: inout [Double]
        ) {
            switch members[member] {
            case .trees(var trees):
                // Its scratch memory is taken out meanwhile, so that it is not copied.
                members[member] = .other(.planned)
                trees.predict(block, into: &predictions)
                members[member] = .trees(trees)
            case .linear(let linear): linear.predict(block, into: &predictions)
            case .other(let other):
                for lane in 0..<part {
                    predictions[lane] = other.predict(row(first + lane, in: rows), columns: variant.columns)
                }
            }
        }
    }

    func asked(planned: Double, _ row: UnsafePointer<Float>, varied: [Int]) -> Asked {
        Asked(self, planned: planned, row, varied: varied)
    }
}
