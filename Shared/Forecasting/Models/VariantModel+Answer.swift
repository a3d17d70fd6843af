import Foundation

extension VariantModel {
    /// What the winner says of one decision.
    struct Answer {
        /// On the members' scale, before the chance of keeping the plan had its say.
        var estimate: Double
        /// All that is said of the hours.
        var distribution: PredictiveDistribution
        /// Chance of finishing within the plan; without a plan, within the plan that such work usually gets. Nil where nothing is said of it.
        var success: Double?
    }

    /// - Parameter row: all columns of the schema.
    func answer(_ row: UnsafeBufferPointer<Float>) -> Answer {
        guard let base = row.baseAddress else { preconditionFailure("a schema has features") }
        let estimate = estimate(row, candidate: winner)
        let success = success.flatMap { classifier -> Double? in
            let chance = classifier.probability(base)
            guard schema.withPlan else { return chance }
            return PredictiveDistribution.chance(chance, by: classifier.calibration, beside: estimate)
        }
        let distribution = PredictiveDistribution(
            estimate: estimate, ranges: intervals.ranges(base, around: estimate),
            withinPlan: schema.withPlan ? success : nil, near: near.probability(base))
        return Answer(estimate: estimate, distribution: distribution, success: success)
    }

    /// What the winner says of each row.
    func answers(_ matrix: FeatureMatrix) -> [Answer] {
        matrix.values.withUnsafeBufferPointer { values in
            (0..<matrix.rows).map { row in
                answer(UnsafeBufferPointer(rebasing: values[row * matrix.columns..<(row + 1) * matrix.columns]))
            }
        }
    }

    /// Whether the latest outcomes have moved any of its chances.
    var isMoved: Bool {
        near.calibration.lately.logOdds != 0 || success.map { $0.calibration.lately.logOdds != 0 } ?? false
    }

    /// The same model with its chances moved.
    func recalibrated(_ recalibration: Recalibration) -> VariantModel {
        var other = self
        other.success?.calibration.lately = recalibration.success
        other.near.calibration.lately = recalibration.near
        return other
    }
}
