import Foundation

/// Probability of an event: a linear and a boosted classifier averaged on the log-odds scale, calibrated by Platt's
/// method on later rows, and shrunk toward the base rate as far as those rows demand.
struct EventClassifier: Sendable {
    /// Nil where there was too little to fit.
    var linear: RidgeModel?
    var trees: BoostedTrees?
    /// How much of the log odds is the linear classifier's, 0…1, where there are both.
    var linearShare = 0.5
    /// Calibrated log odds = slope × raw log odds + offset.
    var slope: Double
    var offset: Double
    /// 0: only the base rate; 1: only the classifiers.
    var trust: Double
    var baseRate: Double

    func raw(_ row: UnsafePointer<Float>) -> Double {
        switch (linear, trees) {
        case (let linear?, let trees?):
            return linearShare * linear.predict(row) + (1 - linearShare) * trees.predict(row)
        case (let linear?, nil): return linear.predict(row)
        case (nil, let trees?): return trees.predict(row)
        case (nil, nil): return log(baseRate / (1 - baseRate))
        }
    }

    func probability(_ row: UnsafePointer<Float>) -> Double { calibrated(raw(row)) }

    func calibrated(_ raw: Double) -> Double {
        trust * logistic(slope * raw + offset) + (1 - trust) * baseRate
    }

    func encode(into writer: inout ByteWriter) {
        writer.write(linear != nil)
        linear?.encode(into: &writer)
        writer.write(trees != nil)
        trees?.encode(into: &writer)
        for value in [linearShare, slope, offset, trust, baseRate] { writer.write(value) }
    }

    init(baseRate: Double, linear: RidgeModel? = nil, trees: BoostedTrees? = nil) {
        self.baseRate = min(max(baseRate, 0.005), 0.995)
        self.linear = linear
        self.trees = trees
        slope = 1
        offset = 0
        trust = linear == nil && trees == nil ? 0 : 1
    }

    init(from reader: inout ByteReader, columns: Int) throws {
        linear = try reader.bool() ? RidgeModel(from: &reader, columns: columns) : nil
        trees = try reader.bool() ? BoostedTrees(from: &reader, columns: columns) : nil
        linearShare = try reader.double()
        slope = try reader.double()
        offset = try reader.double()
        trust = try reader.double()
        baseRate = try reader.double()
    }
}

func logistic(_ value: Double) -> Double { 1 / (1 + exp(-value)) }

extension EventClassifier {
    /// With fewer outcomes to calibrate on, slope, offset and trust are fitted to their noise: the base rate is the better answer.
    static let leastOutcomes = 30

    /// Fits slope and offset on rows that the classifiers have not seen, then chooses how far to trust them there.
    mutating func calibrate(raw scores: [Double], outcomes: [Bool]) {
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
