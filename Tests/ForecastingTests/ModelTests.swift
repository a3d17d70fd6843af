import Basics
import Foundation
import Testing

@testable import Forecasting

@Suite struct ModelTests {
    /// Two features and a missing one now and then; the target is a step in the first.
    private func steps(_ count: Int, seed: UInt64 = 1) -> (FeatureMatrix, [Double]) {
        var random = SeededGenerator(seed: seed)
        var values: [Float] = []
        var targets: [Double] = []
        for _ in 0..<count {
            let x = random.uniform()
            values.append(Float(x))
            values.append(random.below(5) == 0 ? .nan : Float(random.uniform()))
            targets.append((x > 0.5 ? 2 : -1) + 0.1 * (random.uniform() - 0.5))
        }
        return (FeatureMatrix(values: values, columns: 2), targets)
    }

    private func grow(_ loss: TreeLoss, _ matrix: FeatureMatrix, _ targets: [Double], seed: UInt64 = 1) throws
        -> BoostedTrees
    {
        var options = BoostedTrees.Options()
        options.trees = 150
        options.seed = seed
        options.grower.featureShare = 1
        return try BoostedTrees(
            loss, training: .init(matrix: matrix, targets: targets), binned: BinnedMatrix(matrix), options: options)
    }

    @Test("boosted trees learn a step, for the mean and for the median")
    func step() throws {
        let (matrix, targets) = steps(600)
        for loss in [TreeLoss.squared, .quantile(0.5)] {
            let model = try grow(loss, matrix, targets)
            let found = model.predict(FeatureMatrix(values: [0.2, 0.5, 0.8, .nan], columns: 2))
            #expect(abs(found[0] + 1) < 0.1)
            #expect(abs(found[1] - 2) < 0.1)
        }
    }

    @Test("quantile trees put the right share of rows below them")
    func quantileShare() throws {
        var random = SeededGenerator(seed: 9)
        let values = (0..<2_000).map { _ in Float(random.uniform()) }
        let targets = values.map { Double($0) + random.uniform() }
        let matrix = FeatureMatrix(values: values, columns: 1)
        let model = try grow(.quantile(0.9), matrix, targets)
        let below = zip(model.predict(matrix), targets).filter { $0 >= $1 }.count
        #expect(abs(Double(below) / 2_000 - 0.9) < 0.03)
    }

    @Test("what features add to a prediction of trees adds up to it, and lies with the feature that matters")
    func effects() throws {
        let (matrix, targets) = steps(600)
        for loss in [TreeLoss.squared, .quantile(0.5)] {
            let grown = try grow(loss, matrix, targets)
            var writer = ByteWriter()
            var old = grown
            // As artefacts were before inner nodes had a value.
            for tree in old.trees.indices {
                for node in old.trees[tree].nodes.indices where old.trees[tree].nodes[node].feature >= 0 {
                    old.trees[tree].nodes[node].value = 0
                }
            }
            old.encode(into: &writer)
            var reader = ByteReader(writer.bytes)
            for model in [grown, try BoostedTrees(from: &reader, columns: 2)] {
                #expect(model.predict(matrix) == grown.predict(matrix))
                for row in 0..<50 {
                    let values = Array(matrix[row])
                    var (effects, again) = ([0.0, 0.0], [0.0, 0.0])
                    model.addEffects(values, to: &effects)
                    model.addEffects(values, to: &again)
                    #expect(effects == again)
                    #expect(abs(model.usual + effects[0] + effects[1] - model.predict(values)) < 1e-9)
                    #expect(abs(effects[0]) > 0.3 && abs(effects[1]) < 0.2 && (effects[0] > 0) == (values[0] > 0.5))
                }
            }
            let mean = targets.reduce(0, +) / 600
            if loss == .squared { #expect(abs(grown.usual - mean) < 0.05) }
        }
    }

    @Test("the same seed grows the same trees, another seed others")
    func deterministic() throws {
        let (matrix, targets) = steps(300)
        #expect(try grow(.squared, matrix, targets) == grow(.squared, matrix, targets))
        #expect(try grow(.squared, matrix, targets) != grow(.squared, matrix, targets, seed: 2))
    }

    @Test("the loss's derivatives agree with finite differences")
    func gradients() {
        for loss in [TreeLoss.squared, .logistic] {
            for prediction in [-2.0, 0.3, 1.7] {
                let step = 1e-5
                let slope =
                    (loss.value(target: 1, prediction: prediction + step)
                        - loss.value(target: 1, prediction: prediction - step))
                    / (2 * step)
                // The squared loss is (y − p)²; its derivative is used without the factor 2, which the step absorbs.
                let factor = loss == .squared ? 2.0 : 1.0
                #expect(abs(loss.derivatives(target: 1, prediction: prediction).first * factor - slope) < 1e-6)
            }
        }
    }

    @Test("a linear model without penalty finds the coefficients that made the data")
    func ridge() throws {
        var random = SeededGenerator(seed: 4)
        var values: [Float] = []
        var targets: [Double] = []
        for _ in 0..<400 {
            let (a, b) = (Float(random.uniform()), Float(random.uniform()))
            values += [a, b]
            targets.append(3 + 2 * Double(a) - Double(b))
        }
        let matrix = FeatureMatrix(values: values, columns: 2)
        for loss in [RidgeModel.Loss.squared, .absolute] {
            let model = try RidgeModel(loss, matrix: matrix, targets: targets, penalty: 1e-6)
            let found = model.predict(FeatureMatrix(values: [0.5, 0.5, 1, 0], columns: 2))
            #expect(abs(found[0] - 3.5) < 1e-3)
            #expect(abs(found[1] - 5) < 1e-3)
        }
    }

    @Test("beyond what it was fitted to a linear model says no more, but of levels, and an earlier one as it did")
    func held() throws {
        var random = SeededGenerator(seed: 4)
        let values = (0..<400).flatMap { _ in [Float(random.uniform()), Float(random.uniform()), .nan] }
        let matrix = FeatureMatrix(values: values, columns: 3)
        let targets = (0..<400).map { 3 + 2 * Double(values[3 * $0]) - Double(values[3 * $0 + 1]) }
        let free = try RidgeModel(.squared, matrix: matrix, targets: targets, penalty: 1e-6)
        let held = free.held(to: matrix, except: [false, true, false])
        #expect(!free.isHeld && held.isHeld && held.predict(matrix) == free.predict(matrix))
        func predict(_ model: RidgeModel, _ a: Float, _ b: Float) -> Double {
            model.predict(FeatureMatrix(values: [a, b, .nan], columns: 3))[0]
        }
        let most = (0..<400).map { values[3 * $0] }.max() ?? 1
        #expect(predict(held, 1.5, 0.5) == predict(held, most, 0.5) && predict(free, 1.5, 0.5) > 5)
        #expect(predict(held, 0.5, 1.4) == predict(free, 0.5, 1.4))
        // As the release before wrote and read it.
        func decoded(_ model: RidgeModel, format: UInt16) throws -> RidgeModel {
            var writer = ByteWriter()
            writer.formatVersion = format
            model.encode(into: &writer)
            var reader = ByteReader(writer.bytes)
            reader.formatVersion = format
            let decoded = try RidgeModel(from: &reader, columns: 3)
            #expect(reader.isAtEnd)
            return decoded
        }
        #expect(try decoded(free, format: 6) == free && decoded(held, format: 7) == held)
        #expect(try predict(decoded(free, format: 6), 1.5, 0.5) == predict(free, 1.5, 0.5))
    }

    @Test("least squares over many blocks of rows agree with sums taken one by one")
    func sums() throws {
        var random = SeededGenerator(seed: 8)
        let count = 9_001
        let rows = (0..<count).map { _ in [random.uniform(), random.uniform() - 0.5, 1] }
        let weights = (0..<count).map { _ in random.uniform() }
        let targets = rows.map { 2 * $0[0] - $0[1] + random.uniform() }
        let system = WeightedLeastSquares(rows: count, columns: 3) { row, place in
            for column in 0..<3 { place[column] = rows[row][column] }
        }
        #expect(abs(system.apply([2, -1, 0.5], 7) - (2 * rows[7][0] - rows[7][1] + 0.5)) < 1e-12)
        let found = try #require(system.sums(weights: weights, targets: targets).solve(penalty: 5))
        var gram = [Double](repeating: 0, count: 9)
        var right = [0.0, 0, 0]
        for index in 0..<count {
            for i in 0..<3 {
                right[i] += weights[index] * rows[index][i] * targets[index]
                for j in 0..<3 { gram[i * 3 + j] += weights[index] * rows[index][i] * rows[index][j] }
            }
        }
        gram[0] += 5
        gram[4] += 5
        let expected = try #require(SymmetricSolver.solve(&gram, right))
        for column in 0..<3 { #expect(abs(found[column] - expected[column]) < 1e-9) }
    }

    @Test("fits with several penalties are those of each penalty alone")
    func path() throws {
        let (matrix, targets) = steps(300)
        let together = RidgeModel.path(matrix: matrix, targets: targets, penalties: [3, 60])
        let alone = try [3.0, 60].map {
            try RidgeModel(.squared, matrix: matrix, targets: targets, penalty: $0)
        }
        #expect(together == alone)
        #expect(together[0] != together[1])
    }

    @Test("Cholesky solves a system worked out by hand and refuses one that is not positive definite")
    func solver() throws {
        var matrix = [4.0, 2, 2, 3]
        let x = try #require(SymmetricSolver.solve(&matrix, [10, 8]))
        #expect(abs(x[0] - 1.75) < 1e-12)
        #expect(abs(x[1] - 1.5) < 1e-12)
        var bad = [1.0, 2, 2, 1]
        #expect(SymmetricSolver.solve(&bad, [1, 1]) == nil)
    }

    @Test("the conformal correction is of the exact rank, and too few rows say nothing")
    func conformalRank() {
        let scores = (1...9).map(Double.init).reversed().map { $0 }
        #expect(ConformalIntervals.correction(scores: scores, level: 80) == 8)
        #expect(ConformalIntervals.correction(scores: scores, level: 90) == 9)
        #expect(ConformalIntervals.correction(scores: Array(scores.prefix(8)), level: 90) == nil)
        #expect(ConformalIntervals.correction(scores: [1, 2, 3], level: 80) == nil)
        for (count, levels) in [(8, []), (9, [80]), (18, [80]), (19, [80, 90])] {
            let residuals = (1...count).map(Double.init)
            #expect(ConformalIntervals.relative(residuals: residuals, columns: 1).levels.map(\.level) == levels)
        }
    }

    @Test("conformal ranges hold as often as promised, however bad the quantiles are")
    func conformalCoverage() throws {
        var random = SeededGenerator(seed: 11)
        var held = 0
        let trials = 3_000
        for _ in 0..<trials {
            // The "quantiles" are the constant range 0…0.1 for outcomes of 0…1.
            let scores = (0..<19).map { _ in ConformalIntervals.score(target: random.uniform(), low: 0, high: 0.1) }
            let correction = try #require(ConformalIntervals.correction(scores: scores, level: 80))
            if ConformalIntervals.score(target: random.uniform(), low: 0, high: 0.1) <= correction { held += 1 }
        }
        #expect(abs(Double(held) / Double(trials) - 0.8) < 0.025)
    }

    @Test("Platt scaling repairs overconfident odds")
    func platt() {
        var random = SeededGenerator(seed: 2)
        let truth = (0..<2_000).map { _ in 4 * random.uniform() - 2 }
        let outcomes = truth.map { random.uniform() < logistic($0) }
        let (slope, offset) = EventCalibration.platt(truth.map { 3 * $0 + 1 }, outcomes)
        #expect(abs(slope - 1.0 / 3) < 0.05)
        #expect(abs(offset + 1.0 / 3) < 0.1)
    }

    @Test(
        "log odds that are right stay mostly as they are, and wrong ones are moved, however many classifiers are fitted again"
    )
    func calibrationHeldBack() {
        var random = SeededGenerator(seed: 12)
        func fitted(_ slope: Double, _ offset: Double) -> EventCalibration {
            let scores = (0..<300).map { _ in 3 * random.uniform() - 1 }
            let outcomes = scores.map { random.uniform() < logistic(slope * $0 + offset) }
            var calibration = EventCalibration(baseRate: 0.6, trust: 1)
            calibration.fit(raw: scores, outcomes: outcomes)
            return calibration
        }
        let right = (0..<40).map { _ in fitted(1, 0) }
        #expect(right.count { $0.slope == 1 && $0.offset == 0 } > 20)
        let wrong = (0..<40).map { _ in fitted(0.3, -1) }
        #expect(wrong.allSatisfy { abs($0.slope - 0.3) < 0.5 && abs($0.offset + 1) < 0.6 })
        #expect(abs(wrong.reduce(0) { $0 + $1.offset } / 40 + 1) < 0.15)
    }

    @Test("a classifier that knows nothing falls back to the base rate and is never worse than it")
    func shrunkToBaseRate() {
        var random = SeededGenerator(seed: 6)
        let outcomes = (0..<300).map { _ in random.uniform() < 0.7 }
        var calibration = EventCalibration(baseRate: 0.7, trust: 1)
        let scores = outcomes.map { _ in 6 * random.uniform() - 3 }
        calibration.fit(raw: scores, outcomes: outcomes)
        func brier(_ probability: (Double) -> Double) -> Double {
            zip(scores, outcomes).reduce(0) { $0 + pow(probability($1.0) - ($1.1 ? 1 : 0), 2) }
        }
        #expect(brier(calibration.probability) <= brier { _ in calibration.baseRate } + 1e-9)
        #expect(abs(calibration.probability(2) - 0.7) < 0.12)
    }

    @Test("with too few outcomes to calibrate on, the base rate answers, however well the model separates them")
    func tooFewOutcomes() {
        for count in [29, 30] {
            let scores = (0..<count).map { $0 % 2 == 0 ? 1.0 : -1.0 }
            var calibration = EventCalibration(baseRate: 0.6, trust: 1)
            calibration.fit(raw: scores, outcomes: scores.map { $0 > 0 })
            #expect((calibration.probability(1) == 0.6) == (count == 29))
        }
    }

    @Test("shrinkage trusts two thousand rows and doubts two")
    func shrinkage() {
        #expect(abs(shrunk(2 * 1.0, 2, toward: 0, strength: 4) - 1.0 / 3) < 1e-12)
        #expect(shrunk(2_000 * 1.0, 2_000, toward: 0, strength: 4) > 0.99)
        #expect(shrunk(0, 0, toward: 0.25, strength: 4) == 0.25)
    }
}

@Suite struct CoverageCheckTests {
    @Test(
        "ranges that hold less often than they say, beyond noise, fail their check; those that hold more often do not")
    func drift() {
        func check(_ coverage: Double, _ rows: Double) -> Bool {
            ConformalIntervals.Check(level: 80, coverage: coverage, rows: rows).isWithinTolerance
        }
        #expect(check(0.78, 200) && check(0.97, 200))
        #expect(!check(0.65, 200) && check(0.65, 30))
    }
}
