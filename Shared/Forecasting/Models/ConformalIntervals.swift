/// Ranges of hours: quantile estimates, widened or narrowed so that they hold as often as they say
/// (conformalised quantile regression, Romano, Patterson and Candès 2019).
///
/// With n calibration rows the correction is the ⌈(n + 1)(1 − α)⌉-th smallest conformity score, which gives coverage of at
/// least 1 − α for exchangeable rows whatever the quantile estimates are worth. When that rank exceeds n nothing can be said.
struct ConformalIntervals: Sendable {
    struct Level: Sendable {
        /// Percent.
        var level: Int
        var low: BoostedTrees
        var high: BoostedTrees
        /// On the log scale; may be negative.
        var correction: Double
        /// The two ends are meant around the estimate: plain residual quantiles, where there was too little for more.
        var isRelative = false

        /// Around the estimate, from what the trees say of the two ends.
        /// - Parameter move: by which the latest errors have moved the estimate (``LatestErrors``).
        func range(_ a: Double, _ b: Double, around estimate: Double, move: Double = 0) -> (low: Double, high: Double) {
            let centre = isRelative ? estimate : move
            var low = centre + min(a, b) - correction
            var high = centre + max(a, b) + correction
            if low > high { (low, high) = ((low + high) / 2, (low + high) / 2) }
            return (min(low, estimate), max(high, estimate))
        }
    }

    /// How often ranges held on rows that did not calibrate them: coverage on those that did is right by construction.
    struct Check: Sendable, Equatable {
        var level: Int
        var coverage: Double
        /// How many equally weighted rows know as much.
        var rows: Double

        /// Not below what was said by more than three standard errors and two points for drift. Ranges that hold more often
        /// promise no more than they keep; where most plans are kept to the minute they cannot do otherwise.
        var isWithinTolerance: Bool {
            let expected = Double(level) / 100
            return expected - coverage <= 3 * (expected * (1 - expected) / max(1, rows)).squareRoot()
                + 0.02
        }
    }

    /// All is said around the estimate, so that the ranges are those of the estimates whose residuals they come from.
    var areRelative: Bool { levels.allSatisfy(\.isRelative) }

    static let levels = [80, 90]
    var levels: [Level]

    /// - Parameter weights: of the rows, with a mean of 1 (Tibshirani, Barber, Candès and Ramdas 2019: the answer to come
    ///   counts as one more row); empty when all count alike.
    /// - Parameter beyond: how many rows there are beside these whose work lasts longer than is known: outside of any range.
    static func correction(
        scores: [Double], level: Int, weights: [Double] = [], beyond: Double = 0
    ) -> Double? {
        guard weights.isEmpty, beyond == 0 else {
            return upperQuantile(scores, weights, Double(level) / 100, above: beyond)
        }
        let rank = ((scores.count + 1) * level + 99) / 100
        guard rank >= 1, rank <= scores.count else { return nil }
        return scores.sorted()[rank - 1]
    }

    /// The value that `share` of all the weight lies at or below, one more row at infinity included; nil when it is that one.
    /// - Parameters:
    ///   - above: how many rows there are beside these at infinity.
    ///   - below: how many at minus infinity.
    private static func upperQuantile(
        _ values: [Double], _ weights: [Double], _ share: Double, above: Double = 0, below: Double = 0
    ) -> Double? {
        let total = weights.isEmpty ? Double(values.count) : weights.reduce(0, +)
        let goal = share * (total + total / Double(max(1, values.count)) + above + below) * (1 - 1e-12)
        var seen = below
        for row in values.indices.sorted(by: { values[$0] < values[$1] }) {
            seen += weights.isEmpty ? 1 : weights[row]
            if seen >= goal { return values[row] }
        }
        return nil
    }

    /// Residual quantiles of exact rank on both sides, one entry per level that the rows suffice for.
    /// - Parameters:
    ///   - weights: as of ``correction(scores:level:weights:beyond:)``.
    ///   - beyond: as there; such work is above all ranges.
    static func relative(
        residuals: [Double], columns: Int, weights: [Double] = [], beyond: Double = 0
    ) -> ConformalIntervals {
        guard weights.isEmpty, beyond == 0 else {
            return ConformalIntervals(
                levels: Self.levels.compactMap { level in
                    let share = 1 - (1 - Double(level) / 100) / 2
                    guard let high = upperQuantile(residuals, weights, share, above: beyond),
                        let low = upperQuantile(residuals.map { -$0 }, weights, share, below: beyond)
                    else { return nil }
                    return Level(
                        level: level, low: BoostedTrees(constant: -low, columns: columns),
                        high: BoostedTrees(constant: high, columns: columns), correction: 0, isRelative: true)
                })
        }
        let sorted = residuals.sorted()
        let levels = Self.levels.compactMap { level -> Level? in
            // Ranks in whole numbers: nine rows are just enough for 80 %, which a tail of 0.0999… would deny.
            let below = (sorted.count + 1) * (100 - level) / 200
            let above = sorted.count + 1 - below
            guard below >= 1 else { return nil }
            return Level(
                level: level, low: BoostedTrees(constant: sorted[below - 1], columns: columns),
                high: BoostedTrees(constant: sorted[above - 1], columns: columns), correction: 0, isRelative: true)
        }
        return ConformalIntervals(levels: levels)
    }

    /// How far outside its range an outcome lies; negative inside.
    static func score(target: Double, low: Double, high: Double) -> Double { max(low - target, target - high) }

    /// Ranges on the scale of the members, inner ones inside outer ones and all around the estimate.
    /// - Parameter move: as of ``Level/range(_:_:around:move:)``.
    func ranges(
        _ row: UnsafePointer<Float>, around estimate: Double, move: Double = 0
    ) -> [(level: Int, low: Double, high: Double)] {
        var result: [(level: Int, low: Double, high: Double)] = []
        for level in levels {
            var (low, high) = level.range(level.low.predict(row), level.high.predict(row), around: estimate, move: move)
            if let inner = result.last {
                low = min(low, inner.low)
                high = max(high, inner.high)
            }
            result.append((level.level, low, high))
        }
        return result
    }

    func encode(into writer: inout ByteWriter) {
        writer.write(levels) { writer, level in
            writer.write(Int32(level.level))
            level.low.encode(into: &writer)
            level.high.encode(into: &writer)
            writer.write(level.correction)
            writer.write(level.isRelative)
        }
    }

    init(levels: [Level]) { self.levels = levels }

    init(from reader: inout ByteReader, columns: Int) throws {
        levels = try reader.array(elementSize: 40) { reader in
            Level(
                level: Int(try reader.integer(Int32.self)), low: try BoostedTrees(from: &reader, columns: columns),
                high: try BoostedTrees(from: &reader, columns: columns), correction: try reader.double(),
                isRelative: try reader.bool())
        }
    }
}
