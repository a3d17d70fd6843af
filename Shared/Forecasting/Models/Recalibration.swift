import Foundation

/// What the latest known outcomes say of a model's chances: how far all of them are too high or too low, between one
/// training and the next.
struct Recalibration: Sendable, Equatable {
    /// Added to log odds.
    struct Offset: Sendable, Equatable {
        var logOdds = 0.0

        func applied(to probability: Double) -> Double {
            logOdds == 0 ? probability : logistic(Self.logOdds(probability) + logOdds)
        }

        static func logOdds(_ probability: Double) -> Double {
            let bounded = min(max(probability, 1e-6), 1 - 1e-6)
            return log(bounded / (1 - bounded))
        }
    }

    /// Nothing is known that was not known when the model was fitted.
    static let none = Recalibration()

    var success = Offset()
    var near = Offset()
    /// How many outcomes it rests on.
    var outcomes = 0

    /// So many of the latest outcomes count, and with fewer than the least nothing is said.
    static let window = 100
    static let least = 30
}

extension Recalibration.Offset {
    /// The offset that makes the chances come true on the whole, held back as far as it may be chance: what is within
    /// the usual noise is nothing (positive-part shrinkage, James and Stein 1961).
    /// - Parameter weights: of the outcomes, with a mean of 1; empty when all count alike.
    init(probabilities: [Double], outcomes: [Bool], weights: [Double] = []) {
        guard probabilities.count >= Recalibration.least else { return }
        let scores = probabilities.map(Self.logOdds)
        func weight(_ row: Int) -> Double { weights.isEmpty ? 1 : weights[row] }
        let all = scores.indices.reduce(0) { $0 + weight($1) }
        let happened = outcomes.indices.reduce(0) { $0 + (outcomes[$1] ? weight($1) : 0) }
        // All or none of the events: half of one is taken as missing, so that the offset stays finite.
        let goal = min(max(happened, 0.5), all - 0.5)
        var (offset, information) = (0.0, 0.0)
        for _ in 0..<50 {
            var sum = 0.0
            information = 0
            for (row, score) in scores.enumerated() {
                let probability = logistic(score + offset)
                sum += weight(row) * probability
                information += weight(row) * max(probability * (1 - probability), 1e-9)
            }
            let step = (goal - sum) / information
            offset += min(max(step, -1), 1)
            if abs(step) < 1e-9 { break }
        }
        let evidence = offset * offset * information
        logOdds = evidence > Self.noise ? offset * (1 - Self.noise / evidence) : 0
    }

    /// In squared standard errors.
    private static let noise = 2.0
}

/// Outcomes that became known after a model was fitted, and what the model had said of them, by when they became known.
struct LatestOutcomes: Sendable {
    struct Row: Sendable {
        var knownAt: Double
        /// Chance of success and whether it came; nil without a plan.
        var success: (said: Double, came: Bool)?
        var near: (said: Double, came: Bool)
    }

    private let rows: [Row]
    private let moments: [Double]

    init(_ rows: [Row]) {
        self.rows = rows.sorted { $0.knownAt < $1.knownAt }
        moments = self.rows.map(\.knownAt)
    }

    /// As of a moment.
    func recalibration(at moment: Double) -> Recalibration {
        let latest = rows[..<moments.lowerBound(of: moment)].suffix(Recalibration.window)
        guard latest.count >= Recalibration.least else { return .none }
        let planned = latest.compactMap(\.success)
        return Recalibration(
            success: .init(probabilities: planned.map(\.said), outcomes: planned.map(\.came)),
            near: .init(probabilities: latest.map(\.near.said), outcomes: latest.map(\.near.came)),
            outcomes: latest.count)
    }
}

extension VariantModel {
    /// What this model had said of outcomes that became known after it was fitted.
    func latestOutcomes(_ rows: [LearningRow], _ matrix: FeatureMatrix) -> LatestOutcomes {
        LatestOutcomes(
            zip(rows, answers(matrix)).map { row, answer in
                let estimate = hours(answer.distribution.median, planned: row.planned)
                return LatestOutcomes.Row(
                    knownAt: row.completedAt,
                    success: row.planned > 0 ? answer.success.map { ($0, row.success) } : nil,
                    near: (
                        answer.distribution.near, Statistics.isNear(actual: row.hours, toEstimate: estimate)
                    ))
            })
    }
}
