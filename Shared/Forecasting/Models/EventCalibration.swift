import Foundation

/// Turns log odds into a probability that can be believed: Platt's scaling, fitted to rows that whoever gave the log odds has
/// not seen, shrunk toward the base rate as far as those rows demand.
struct EventCalibration: Sendable {
    /// Calibrated log odds = slope × raw log odds + offset.
    var slope = 1.0
    var offset = 0.0
    /// 0: only the base rate; 1: only the log odds.
    var trust: Double
    let baseRate: Double

    /// With fewer outcomes to calibrate on, slope, offset and trust are fitted to their noise: the base rate is the better answer.
    static let leastOutcomes = 30

    init(baseRate: Double, trust: Double) {
        self.baseRate = min(max(baseRate, 0.005), 0.995)
        self.trust = trust
    }

    func probability(_ raw: Double) -> Double {
        trust * logistic(slope * raw + offset) + (1 - trust) * baseRate
    }

    /// Fits slope and offset, then chooses how far to trust them.
    mutating func fit(raw scores: [Double], outcomes: [Bool]) {
        guard scores.count >= Self.leastOutcomes, trust > 0 else {
            trust = 0
            return
        }
        (slope, offset) = Self.platt(scores, outcomes)
        slope = max(slope, 0)
        // The share of trust with the least Brier score; 0 is the base rate itself, so it can never be worse than that.
        var (square, product) = (0.0, 0.0)
        for (score, outcome) in zip(scores, outcomes) {
            let step = logistic(slope * score + offset) - baseRate
            square += step * step
            product += step * ((outcome ? 1 : 0) - baseRate)
        }
        trust = square > 0 ? min(max(product / square, 0), 1) : 0
    }

    /// Platt scaling with his smoothed targets (Platt 1999), by Newton's method with a light pull toward slope 1.
    static func platt(_ scores: [Double], _ outcomes: [Bool]) -> (slope: Double, offset: Double) {
        let positives = Double(outcomes.filter { $0 }.count)
        let negatives = Double(outcomes.count) - positives
        let high = (positives + 1) / (positives + 2)
        let low = 1 / (negatives + 2)
        let pull = 2.0
        func cost(_ at: SIMD2<Double>) -> Double {
            var sum = pull / 2 * (at.x - 1) * (at.x - 1)
            for (score, outcome) in zip(scores, outcomes) {
                sum += TreeLoss.logistic.value(target: outcome ? high : low, prediction: at.x * score + at.y)
            }
            return sum
        }
        var place = SIMD2(1.0, 0.0)
        var height = cost(place)
        for _ in 0..<50 {
            var gradient = SIMD2(pull * (place.x - 1), 0)
            var (aa, ab, bb) = (pull, 0.0, 1e-9)
            for (score, outcome) in zip(scores, outcomes) {
                let probability = logistic(place.x * score + place.y)
                let weight = max(probability * (1 - probability), 1e-9)
                let error = probability - (outcome ? high : low)
                gradient += SIMD2(error * score, error)
                aa += weight * score * score
                ab += weight * score
                bb += weight
            }
            let determinant = aa * bb - ab * ab
            guard determinant > 1e-12 else { break }
            var step = SIMD2(bb * gradient.x - ab * gradient.y, aa * gradient.y - ab * gradient.x) / determinant
            // Newton's step may overshoot where the curve is flat: halve it until it goes downhill.
            var halvings = 0
            while cost(place - step) > height, halvings < 40 {
                step /= 2
                halvings += 1
            }
            guard halvings < 40 else { break }
            place -= step
            height = cost(place)
            if abs(step.x) + abs(step.y) < 1e-9 { break }
        }
        return (place.x, place.y)
    }
}

extension EventCalibration {
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
