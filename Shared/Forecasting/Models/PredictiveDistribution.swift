import Foundation

/// What is said of one task's hours, as statements about one distribution, none of which contradicts another.
///
/// Each part has a model of its own, calibrated on rows it has not seen: the chance of keeping the plan says how much mass
/// lies at or below the plan (work that takes exactly the plan is an atom there), ranges say where eight and nine tenths of
/// it lie, the estimate halves it, confidence is the mass within a quarter of the estimate. Where the chance of keeping the
/// plan and the estimate lie on different sides, a chance of about one half gives way, and to any other the estimate; then
/// ranges and confidence give way, as far as they must.
struct PredictiveDistribution {
    typealias Range = (level: Int, low: Double, high: Double)

    /// On the members' scale: log(hours ÷ plan), without a plan log(hours).
    private(set) var median: Double
    private(set) var ranges: [Range]
    /// Mass at or below the plan; nil where nothing is said of it.
    let withinPlan: Double?
    /// Mass within a quarter of the estimate.
    private(set) var near: Double

    /// - Parameters:
    ///   - ranges: inner ones first.
    ///   - withinPlan: of hours on the scale of the plan, which lies at 0; nil where the scale is another, and where nothing is said of it.
    init(estimate: Double, ranges given: [Range], withinPlan: Double?, near: Double) {
        self.withinPlan = withinPlan
        median = Self.median(estimate, withinPlan: withinPlan, inner: given.first)
        ranges = Self.ranges(given, around: median, withinPlan)
        self.near = near
        // A damaged model says things that are no numbers. Nothing follows from them, and the caller finds them in the answer.
        let said = ranges.flatMap { [$0.low, $0.high] } + [median, near, withinPlan ?? 0]
        guard !said.contains(where: \.isNaN) else { return }
        let (low, high) = (median + Self.nearLow, median + Self.nearHigh)
        let bounds = self.bounds(adding: [low, high])
        if let possible = bounds.possibleMass(from: bounds.before(low), to: bounds.through(high)) {
            self.near = min(max(near, possible.lowerBound), possible.upperBound)
        }
    }

    /// Actual hours within 25 % of the estimate (`Statistics.isNear(actual:toEstimate:)`), on the logarithmic scale.
    private static let nearLow = log(0.75)
    private static let nearHigh = log(1.25)

    /// What is said of keeping the plan beside an estimate. A chance of about one half gives way: to one half where the estimate says
    /// the opposite.
    /// - Parameters:
    ///   - withinPlan: the calibrated chance, moved by the latest outcomes or not.
    ///   - calibration: what calibrated it.
    /// - Returns: nil where ``EventCalibration/isSilent``.
    static func chance(_ withinPlan: Double, by calibration: EventCalibration, beside estimate: Double) -> Double? {
        guard !calibration.isSilent else { return nil }
        guard isAboutHalf(withinPlan) else { return withinPlan }
        return (estimate <= 0) == (withinPlan >= 0.5) ? withinPlan : 0.5
    }

    /// So near one half, the side on which a chance lies is noise: calibrated on a few hundred rows, a chance has a standard
    /// error of up to five points.
    static func isAboutHalf(_ chance: Double) -> Bool { abs(chance - 0.5) <= 0.1 }

    /// The estimate, on the side of the plan on which half of the mass lies.
    /// - Parameter inner: the inner range around the estimate, which is rarely needed.
    static func median(_ estimate: Double, withinPlan: Double?, inner: @autoclosure () -> Range?) -> Double {
        guard let chance = withinPlan else { return estimate }
        // What is likelier than not to be within the plan has its middle there, at most at the plan itself.
        if chance > 0.5 { return min(estimate, 0) }
        guard chance < 0.5, estimate <= 0 else { return estimate }
        // Otherwise the middle lies above the plan: as far towards the upper end of the range as mass is wanting.
        guard let inner = inner(), inner.high > 0 else { return leastAbove }
        let end = 0.5 + Double(inner.level) / 200
        return max(leastAbove, inner.high * (0.5 - chance) / (end - chance))
    }

    /// An estimate above the plan exceeds it by at least a thousandth: a smaller difference would be displayed as the plan.
    private static let leastAbove = 0.001

    private static func ranges(_ given: [Range], around median: Double, _ withinPlan: Double?) -> [Range] {
        var ranges: [Range] = []
        for range in given {
            var (low, high) = (min(range.low, median), max(range.high, median))
            if let inner = ranges.last { (low, high) = (min(low, inner.low), max(high, inner.high)) }
            if let chance = withinPlan {
                let level = Double(range.level) / 100
                // A range wholly above the plan leaves no more than its remainder at or below it; one that ends at the plan
                // or below it holds no more than what is there.
                if low > 0, chance > 1 - level { low = 0 }
                if high <= 0, chance < level { high = above(low, level, chance) }
            }
            ranges.append((range.level, low, high))
        }
        return ranges
    }

    /// The upper end of a range that must reach above the plan: as far as the mass that is wanting takes at the rate at which
    /// the range has it below the plan. At least half of the mass lies there, or the estimate would be above the plan.
    private static func above(_ low: Double, _ level: Double, _ withinPlan: Double) -> Double {
        let end = 0.5 + level / 2
        return max(leastAbove, -low * (end - withinPlan) / (withinPlan - (1 - end)))
    }

    /// All that is said, but `near`.
    private func bounds(adding places: [Double]) -> CumulativeBounds {
        var all = places + [median]
        if withinPlan != nil { all.append(0) }
        for range in ranges {
            all.append(range.low)
            all.append(range.high)
        }
        var bounds = CumulativeBounds(places: all)
        if let withinPlan { bounds.mass(to: bounds.through(0), least: withinPlan, most: withinPlan) }
        bounds.mass(to: bounds.through(median), least: 0.5)
        bounds.mass(to: bounds.before(median), most: 0.5)
        for range in ranges {
            let level = Double(range.level) / 100
            // The ends belong to the range: where they are atoms it holds more, and what is between them less.
            bounds.mass(from: bounds.before(range.low), to: bounds.through(range.high), least: level)
            if range.low < range.high {
                bounds.mass(from: bounds.through(range.low), to: bounds.before(range.high), most: level)
            }
        }
        return bounds
    }
}
