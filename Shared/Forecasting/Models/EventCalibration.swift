import Foundation

/// Turns log odds into a calibrated probability: Platt's scaling, fitted to rows that the model of the log odds was not trained
/// on, shrunk toward the base rate as far as those rows demand.
struct EventCalibration: Sendable {
    /// Calibrated log odds = slope × raw log odds + offset.
    var slope = 1.0
    var offset = 0.0
    /// 0: only the base rate; 1: only the log odds.
    var trust: Double
    var baseRate: Double
    /// What the latest outcomes add to the calibrated log odds (``Recalibration``); no part of an artefact.
    var lately = Recalibration.Offset()

    /// With fewer outcomes to calibrate on, slope, offset and trust are fitted to their noise: the base rate is the better answer.
    static let leastOutcomes = 30

    init(baseRate: Double, trust: Double) {
        self.baseRate = min(max(baseRate, 0.005), 0.995)
        self.trust = trust
    }

    /// Says different things of different rows, having proven itself.
    var tellsApart: Bool { trust > 0 }

    /// Nothing is said of keeping a plan: a base rate of about one half is of all tasks, and contradicts the hours of those that lie
    /// on the plan's other side.
    ///
    /// The rate as it was fitted decides, whatever `lately` makes of it. Were the moved rate to decide, a rate near the band's edge would
    /// be said only while chance has moved it out, and what is said would be wrong by what chance has added.
    var isSilent: Bool { !tellsApart && PredictiveDistribution.isAboutHalf(baseRate) }

    func probability(_ raw: Double) -> Double {
        lately.applied(to: trust * logistic(slope * raw + offset) + (1 - trust) * baseRate)
    }

    /// Fits slope and offset, then chooses how far to trust them.
    /// - Parameter weights: of the rows, with a mean of 1; empty when all count alike.
    mutating func fit(raw scores: [Double], outcomes: [Bool], weights: [Double] = []) {
        guard scores.count >= Self.leastOutcomes, trust > 0 else {
            trust = 0
            return
        }
        (slope, offset) = Self.held(Self.platt(scores, outcomes, weights: weights), scores, outcomes, weights)
        slope = max(slope, 0)
        // The share of trust with the least Brier score; 0 is the base rate itself, so it can never be worse than that.
        var (square, product) = (0.0, 0.0)
        for (row, (score, outcome)) in zip(scores, outcomes).enumerated() {
            let weight = weights.isEmpty ? 1 : weights[row]
            let step = logistic(slope * score + offset) - baseRate
            square += weight * step * step
            product += weight * step * ((outcome ? 1 : 0) - baseRate)
        }
        trust = square > 0 ? min(max(product / square, 0), 1) : 0
    }

    /// Moves all chances by as much as the latest outcomes say beyond noise that they are off.
    mutating func follow(raw scores: [Double], outcomes: [Bool], weights: [Double] = []) {
        let move = Recalibration.Offset(
            probabilities: scores.map(probability), outcomes: outcomes, weights: weights)
        guard move.logOdds != 0 else { return }
        offset += move.logOdds
        baseRate = min(max(move.applied(to: baseRate), 0.005), 0.995)
    }
}

extension EventCalibration {
    /// Whether calibrated log odds beat the base rate's Brier score on rows that did not calibrate them: each half of the
    /// rows, by time, calibrates the other. By more than one standard error; with few rows, which show little, by two.
    func isProven(raw scores: [Double], outcomes: [Bool], weights: [Double] = []) -> Bool {
        guard scores.count >= 2 * Self.leastOutcomes else { return false }
        let half = scores.count / 2
        var gains: [Double] = []
        for (own, other) in [(0..<half, half..<scores.count), (half..<scores.count, 0..<half)] {
            var calibration = EventCalibration(baseRate: baseRate, trust: 1)
            calibration.fit(
                raw: Array(scores[own]), outcomes: Array(outcomes[own]),
                weights: weights.isEmpty ? [] : Array(weights[own]))
            for row in other {
                let truth = outcomes[row] ? 1.0 : 0
                let (said, base) = (calibration.probability(scores[row]), baseRate)
                let gain = (base - truth) * (base - truth) - (said - truth) * (said - truth)
                gains.append((weights.isEmpty ? 1 : weights[row]) * gain)
            }
        }
        let count = Double(gains.count)
        let mean = gains.reduce(0, +) / count
        let variance = gains.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / max(1, count - 1)
        return mean > (scores.count >= 200 ? 1 : 2) * (variance / count).squareRoot()
    }

    func encode(into writer: inout ByteWriter) {
        for value in [slope, offset, trust, baseRate] { writer.write(value) }
    }

    init(from reader: inout ByteReader) throws {
        slope = try reader.double()
        offset = try reader.double()
        trust = try reader.double()
        baseRate = try reader.double()
    }
}

func logistic(_ value: Double) -> Double { 1 / (1 + exp(-value)) }
