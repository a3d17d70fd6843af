import Foundation

/// Platt's scaling with smoothed targets (Platt 1999), with a light pull toward slope 1.
extension EventCalibration {
    typealias Line = (slope: Double, offset: Double)

    /// By Newton's method.
    static func platt(_ scores: [Double], _ outcomes: [Bool], weights: [Double] = []) -> Line {
        let cost = PlattCost(scores, outcomes, weights)
        var place = SIMD2(1.0, 0.0)
        var height = cost.value(place)
        for _ in 0..<50 {
            guard var step = cost.newtonStep(place) else { break }
            // Newton's step may overshoot where the curve is flat: halve it until it goes downhill.
            var halvings = 0
            while cost.value(place - step) > height, halvings < 40 {
                step /= 2
                halvings += 1
            }
            guard halvings < 40 else { break }
            place -= step
            height = cost.value(place)
            if abs(step.x) + abs(step.y) < 1e-9 { break }
        }
        return (place.x, place.y)
    }

    /// The line held back toward log odds as they are, as far as it may be chance that it fits better: what is within the
    /// usual noise is nothing (positive-part shrinkage, James and Stein 1961, of twice the gain in log likelihood).
    static func held(_ line: Line, _ scores: [Double], _ outcomes: [Bool], _ weights: [Double]) -> Line {
        let cost = PlattCost(scores, outcomes, weights)
        let evidence = 2 * (cost.value(SIMD2(1, 0)) - cost.value(SIMD2(line.slope, line.offset)))
        guard evidence > noise else { return (1, 0) }
        let share = 1 - noise / evidence
        return (1 + share * (line.slope - 1), share * line.offset)
    }

    /// What two parameters gain by chance, on average.
    private static let noise = 2.0
}

/// What a slope and an offset cost.
private struct PlattCost {
    private let scores: [Double]
    private let targets: [Double]
    private let weights: [Double]
    private static let pull = 2.0

    init(_ scores: [Double], _ outcomes: [Bool], _ weights: [Double]) {
        let positives = Double(outcomes.count { $0 })
        let (high, low) = ((positives + 1) / (positives + 2), 1 / (Double(outcomes.count) - positives + 2))
        self.scores = scores
        targets = outcomes.map { $0 ? high : low }
        self.weights = weights.isEmpty ? [Double](repeating: 1, count: scores.count) : weights
    }

    func value(_ at: SIMD2<Double>) -> Double {
        var sum = Self.pull / 2 * (at.x - 1) * (at.x - 1)
        for row in scores.indices {
            sum += weights[row] * TreeLoss.logistic.value(target: targets[row], prediction: at.x * scores[row] + at.y)
        }
        return sum
    }

    /// Nil where the curve is flat.
    func newtonStep(_ at: SIMD2<Double>) -> SIMD2<Double>? {
        var gradient = SIMD2(Self.pull * (at.x - 1), 0)
        var (aa, ab, bb) = (Self.pull, 0.0, 1e-9)
        for (row, score) in scores.enumerated() {
            let probability = logistic(at.x * score + at.y)
            let bend = weights[row] * max(probability * (1 - probability), 1e-9)
            let error = weights[row] * (probability - targets[row])
            gradient += SIMD2(error * score, error)
            aa += bend * score * score
            ab += bend * score
            bb += bend
        }
        let determinant = aa * bb - ab * ab
        guard determinant > 1e-12 else { return nil }
        return SIMD2(bb * gradient.x - ab * gradient.y, aa * gradient.y - ab * gradient.x) / determinant
    }
}
