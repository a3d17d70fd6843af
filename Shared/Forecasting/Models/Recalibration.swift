import Foundation

/// What the latest known outcomes say of a model between one training and the next: how far off its estimates of each person's work
/// are, and how far all of its chances are too high or too low.
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

    var errors = LatestErrors.none
    var success = Offset()
    var near = Offset()
    /// How many outcomes the offsets rest on.
    var outcomes = 0

    /// So many of the latest outcomes count for the offsets, and with fewer than the least nothing is said.
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
    /// With its latest errors.
    private let model: VariantModel
    /// Of the outcomes that chances may go by and that the model can be asked about.
    private let rows: [LearningRow]
    /// Of each row, its place among all outcomes.
    private let places: [Int]
    /// When each outcome became known, ascending.
    private let moments: [Double]
    private let features: FeatureMatrix
    private let answers: [VariantModel.Answer]
    /// Of success: a base rate as it is, said or not.
    private let chances: [Double?]

    /// - Parameters:
    ///   - model: as it was fitted.
    ///   - given: the outcomes since.
    ///   - first: no earlier moment will be asked about.
    init(_ model: VariantModel, _ given: [LearningRow], history: History, askedFrom first: Double) {
        // As histories order them, so that sums are the same to the bit however the rows came.
        let all = given.sorted { ($0.completedAt, $0.decision.at, $0.id) < ($1.completedAt, $1.decision.at, $1.id) }
        let places = all.indices.filter { !model.schema.withPlan || all[$0].planned > 0 }
        let rows = places.map { all[$0] }
        let features = history.features(of: rows, schema: model.schema)
        let moments = all.map(\.completedAt)
        var following = model
        // A baseline that stands in for a model goes by the person's own median, which follows by itself.
        if !model.isBaselineAlone {
            var errors: [String: [LatestErrors.Outcome]] = [:]
            for ((place, row), mean) in zip(zip(places, rows), model.means(features)) {
                errors[row.decision.employee, default: []].append(
                    LatestErrors.Outcome(
                        place: place, error: (model.schema.withPlan ? row.logRatio : row.logHours) - mean))
            }
            following.latestErrors = LatestErrors(moments: moments, outcomes: errors)
        }
        let needed = places.lowerBound(of: moments.lowerBound(of: first) - Recalibration.window)..<places.count
        (self.model, self.moments) = (following, moments)
        (self.rows, self.places) = (Array(rows[needed]), Array(places[needed]))
        self.features = features.selecting(Array(needed))
        answers = following.answers(self.features, to: self.rows.map(\.decision))
        let baseRate = model.success.flatMap { $0.tellsApart ? nil : $0.calibration.lately.applied(to: $0.baseRate) }
        chances = answers.map { baseRate ?? $0.success }
    }

    /// As of a moment.
    func recalibration(at moment: Double) -> Recalibration {
        var found = Recalibration(errors: model.latestErrors)
        let known = moments.lowerBound(of: moment)
        let latest = places.lowerBound(of: known - Recalibration.window)..<places.lowerBound(of: known)
        guard latest.count >= Recalibration.least else { return found }
        let planned = latest.filter { rows[$0].success != nil && chances[$0] != nil }
        found.success = .init(
            probabilities: planned.compactMap { chances[$0] }, outcomes: planned.map { rows[$0].success == true })
        found.outcomes = latest.count
        // A chance that has moved may move the estimate: what came near is judged by what is answered now.
        let answered =
            found.success.logOdds == 0
            ? Array(answers[latest])
            : model.recalibrated(found).answers(
                features.selecting(Array(latest)), to: rows[latest].map(\.decision))
        found.near = .init(
            probabilities: answered.map(\.distribution.near),
            outcomes: zip(latest, answered).map { row, answer in
                Statistics.isNear(
                    actual: rows[row].hours,
                    toEstimate: model.hours(answer.distribution.median, planned: rows[row].planned))
            })
        return found
    }
}
