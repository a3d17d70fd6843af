import Foundation

extension VariantModel {
    /// What the winner says of one decision.
    struct Answer {
        /// On the members' scale, before the chance of keeping the plan had its say.
        var estimate: Double
        /// Of the person's latest estimates, by which this one and its ranges have moved.
        var errors = PersonErrors()
        /// All that is said of the hours.
        var distribution: PredictiveDistribution
        /// Chance of finishing within the plan; without a plan, within the plan that such work usually gets. Nil where nothing is said of it.
        var success: Double?
    }

    /// - Parameters:
    ///   - row: all columns of the schema.
    ///   - decision: what the row is of; nil where no latest error is to move the answer.
    func answer(_ row: UnsafeBufferPointer<Float>, to decision: Decision? = nil) -> Answer {
        guard let base = row.baseAddress else { preconditionFailure("a schema has features") }
        let errors = decision.map { latestErrors.errors(of: $0.employee, at: $0.at) } ?? PersonErrors()
        let estimate = estimate(row, candidate: winner, move: errors.move)
        let success = success.flatMap { classifier -> Double? in
            let chance = classifier.probability(base)
            guard schema.withPlan else { return chance }
            return PredictiveDistribution.chance(chance, by: classifier.calibration, beside: estimate)
        }
        let distribution = PredictiveDistribution(
            estimate: estimate, ranges: intervals.ranges(base, around: estimate, move: errors.move),
            withinPlan: schema.withPlan ? success : nil, near: near.probability(base))
        return Answer(estimate: estimate, errors: errors, distribution: distribution, success: success)
    }

    /// What the winner says of each row.
    /// - Parameter decisions: what the rows are of; empty where no latest error is to move the answers.
    func answers(_ matrix: FeatureMatrix, to decisions: [Decision] = []) -> [Answer] {
        matrix.values.withUnsafeBufferPointer { values in
            (0..<matrix.rows).map { row in
                answer(
                    UnsafeBufferPointer(rebasing: values[row * matrix.columns..<(row + 1) * matrix.columns]),
                    to: decisions.isEmpty ? nil : decisions[row])
            }
        }
    }

    /// Whether the latest outcomes have moved anything that it says.
    var isMoved: Bool {
        !latestErrors.isEmpty || near.calibration.lately.logOdds != 0
            || success.map { $0.calibration.lately.logOdds != 0 } ?? false
    }

    /// The same model with its answers moved.
    func recalibrated(_ recalibration: Recalibration) -> VariantModel {
        var other = self
        other.latestErrors = recalibration.errors
        other.success?.calibration.lately = recalibration.success
        other.near.calibration.lately = recalibration.near
        return other
    }
}
