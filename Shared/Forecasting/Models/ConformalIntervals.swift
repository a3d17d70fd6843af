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
    }

    /// What happens when the earlier half of the calibration rows corrects the later half: an honest look ahead,
    /// since the coverage on rows that were calibrated on is right by construction.
    struct Check: Sendable, Equatable {
        var level: Int
        var coverage: Double
        var rows: Int

        /// Within three standard errors and two points for drift.
        var isWithinTolerance: Bool {
            let expected = Double(level) / 100
            return abs(coverage - expected) <= 3 * (expected * (1 - expected) / Double(max(1, rows))).squareRoot()
                + 0.02
        }

        /// - Parameter scores: by time of decision. Nil with too few rows for a verdict.
        init?(scores: [Double], level: Int) {
            let half = scores.count / 2
            guard half >= 20,
                let correction = ConformalIntervals.correction(scores: Array(scores[..<half]), level: level)
            else { return nil }
            let later = scores[half...]
            self.level = level
            rows = later.count
            coverage = Double(later.filter { $0 <= correction }.count) / Double(rows)
        }
    }

    /// All is said around the estimate, so that the ranges are those of the estimates whose residuals they come from.
    var areRelative: Bool { levels.allSatisfy(\.isRelative) }

    static let levels = [80, 90]
    var levels: [Level]
    /// Of the fit; not part of the artefact.
    var checks: [Check] = []

    static func correction(scores: [Double], level: Int) -> Double? {
        let rank = ((scores.count + 1) * level + 99) / 100
        guard rank >= 1, rank <= scores.count else { return nil }
        return scores.sorted()[rank - 1]
    }

    /// Residual quantiles of exact rank on both sides, one entry per level that the rows suffice for.
    static func relative(residuals: [Double], columns: Int) -> ConformalIntervals {
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
    func ranges(_ row: UnsafePointer<Float>, around estimate: Double) -> [(level: Int, low: Double, high: Double)] {
        var result: [(level: Int, low: Double, high: Double)] = []
        for level in levels {
            let (a, b) = (level.low.predict(row), level.high.predict(row))
            let centre = level.isRelative ? estimate : 0
            var low = centre + min(a, b) - level.correction
            var high = centre + max(a, b) + level.correction
            if low > high { (low, high) = ((low + high) / 2, (low + high) / 2) }
            low = min(low, estimate)
            high = max(high, estimate)
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
