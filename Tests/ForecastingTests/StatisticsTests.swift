import Basics
import Foundation
import Testing

@testable import Forecasting

@Suite struct StatisticsTests {
    @Test("confidence is about the actual hours lying within a quarter of the estimate, PRED(25) about the reverse")
    func near() {
        #expect(Statistics.isNear(actual: 12.5, toEstimate: 10) && Statistics.isNear(actual: 7.5, toEstimate: 10))
        #expect(!Statistics.isNear(actual: 12.6, toEstimate: 10))
        // 7.9 lies within a quarter of 10, 10 not within a quarter of 7.9.
        #expect(Statistics.isNear(actual: 7.9, toEstimate: 10) && !Statistics.isNear(actual: 7.9, forecast: 10))
        #expect(!Statistics.isNear(actual: 13, toEstimate: 10) && Statistics.isNear(actual: 13, forecast: 10))
    }

    @Test("hours metrics equal values worked out by hand")
    func hours() throws {
        let metrics = try #require(Statistics.hours(actual: [1, 2, 4], forecast: [1, 4, 5]))
        #expect(metrics.mae == 1)
        #expect(metrics.medianAbsoluteError == 1)
        #expect(abs(metrics.pred25 - 2.0 / 3) < 1e-12)
        let expected = ((pow(log(2.0), 2) + pow(log(1.25), 2)) / 3).squareRoot()
        #expect(abs(metrics.logRMSE - expected) < 1e-12)
        // Guessing another row: pairs |1−2|, |1−4|, |2−4| = 1, 3, 2, mean 2.
        #expect(metrics.standardisedAccuracy == 0.5)
    }

    @Test("the expected error of guessing equals the mean over all pairs")
    func guessing() {
        var random = SeededGenerator(seed: 1)
        let values = (0..<40).map { _ in random.uniform() * 10 }
        var sum = 0.0
        for i in values.indices { for j in values.indices where i != j { sum += abs(values[i] - values[j]) } }
        #expect(abs(Statistics.randomGuessError(values) - sum / Double(40 * 39)) < 1e-9)
    }

    @Test("standardised accuracy under weights compares a weighted error with weighted guessing")
    func weightedGuessing() throws {
        var random = SeededGenerator(seed: 4)
        let values = (0..<40).map { _ in random.uniform() * 10 }
        let weights = values.map { _ in 0.2 + 2 * random.uniform() }
        var (sum, pairs) = (0.0, 0.0)
        for i in values.indices {
            for j in values.indices where i != j {
                sum += weights[i] * weights[j] * abs(values[i] - values[j])
                pairs += weights[i] * weights[j]
            }
        }
        #expect(abs(Statistics.randomGuessError(values, weights: weights) - sum / pairs) < 1e-9)
        let even = values.map { _ in 1.0 }
        #expect(
            abs(Statistics.randomGuessError(values, weights: even) - Statistics.randomGuessError(values)) < 1e-9)
        // By hand: pairs |1−2|, |1−4|, |2−4| count 2, 4 and 2: 18 over 8. Errors of 0, 2 and 1 count 2, 1 and 2: 4 over 5.
        let metrics = try #require(
            Statistics.hours(actual: [1, 2, 4], forecast: [1, 4, 5], weights: [2, 1, 2]))
        let accuracy = try #require(metrics.standardisedAccuracy)
        #expect(abs(accuracy - (1 - (4.0 / 5) / (18.0 / 8))) < 1e-12)
    }

    @Test("AUC counts ties half and equals the pairwise definition")
    func auc() {
        let outcomes = [true, false, true, false, true, false]
        let scores = [0.9, 0.9, 0.4, 0.1, 0.6, 0.5]
        // Pairs won: 0.9 beats .1, .5 and ties .9; 0.4 beats .1; 0.6 beats .1 and .5.
        #expect(Statistics.auc(outcomes, scores) == 5.5 / 9)
        #expect(Statistics.auc([true, true], [0.1, 0.2]) == nil)
    }

    @Test("success metrics equal values worked out by hand")
    func success() throws {
        let metrics = try #require(Statistics.success([true, true, false, false], [0.8, 0.4, 0.6, 0.2]))
        #expect(abs(metrics.brier - (0.04 + 0.36 + 0.36 + 0.04) / 4) < 1e-12)
        #expect(metrics.accuracy == 0.5)
        #expect(metrics.precision == 0.5)
        #expect(metrics.recall == 0.5)
        #expect(metrics.f1 == 0.5)
        #expect(abs(metrics.logLoss - -(log(0.8) + log(0.4) + log(0.4) + log(0.8)) / 4) < 1e-12)
        #expect(abs(metrics.calibrationError - (0.2 + 0.6 + 0.6 + 0.2) / 4) < 1e-12)
    }

    @Test("confidence is compared with what came true, row by row as it weighs")
    func confidence() throws {
        // Near the estimates of 10 are 8 and 12, not 13 and 5.
        let (actual, estimates, said) = ([8.0, 12, 13, 5], [10.0, 10, 10, 10], [0.9, 0.7, 0.5, 0.1])
        let plain = try #require(Statistics.confidence(actual: actual, estimates: estimates, said: said))
        #expect(plain.count == 4 && plain.came == 0.5 && abs(plain.said - 0.55) < 1e-12)
        let weighted = try #require(
            Statistics.confidence(actual: actual, estimates: estimates, said: said, weights: [0.5, 0.5, 2, 1]))
        #expect(abs(weighted.came - 0.25) < 1e-12 && abs(weighted.said - (0.45 + 0.35 + 1 + 0.1) / 4) < 1e-12)
        #expect(Statistics.confidence(actual: [], estimates: [], said: []) == nil)
    }

    @Test("confidence may differ from what came by three points and three standard errors, to either side")
    func tolerance() {
        func holds(_ said: Double, _ came: Double, rows: Double) -> Bool {
            ConfidenceMetrics(count: Int(rows), said: said, came: came).isWithinTolerance(rows: rows)
        }
        // Of 600 rows one standard error of 33 % is 1.9 points, of 60 it is 6.1.
        #expect(!holds(0.33, 0.45, rows: 600) && holds(0.33, 0.45, rows: 60))
        #expect(!holds(0.45, 0.33, rows: 600) && holds(0.33, 0.37, rows: 600))
    }

    @Test("Winkler's score is the width plus 2/α times the miss, on the log scale")
    func winkler() throws {
        let metrics = try #require(
            Statistics.interval(level: 80, actual: [exp(1), exp(3)], ranges: [(1, exp(2)), (1, exp(2))]))
        #expect(metrics.coverage == 0.5)
        #expect(abs(metrics.meanWidth - 2) < 1e-9)
        #expect(abs(metrics.winkler - (2 + (2 + 10 * 1)) / 2) < 1e-9)
    }

    @Test("a paired bootstrap tells a real difference from noise")
    func paired() throws {
        var random = SeededGenerator(seed: 5)
        let noise = (0..<200).map { _ in random.uniform() - 0.5 }
        let none = try #require(Bootstrap.paired(noise.map { $0 - noise.reduce(0, +) / 200 }, seed: 1))
        #expect(!none.isBetter && !none.isWorse)
        let real = try #require(Bootstrap.paired(noise.map { $0 - 0.3 }, seed: 1))
        #expect(real.isBetter)
        #expect(real == Bootstrap.paired(noise.map { $0 - 0.3 }, seed: 1))
    }

    @Test("the median found in place is the sorted one's, whatever the order, the number and the ties")
    func medians() {
        var random = SeededGenerator(seed: 9)
        for count in 1...64 {
            for distinct in [2, 5, 1_000] {
                var values = (0..<count).map { _ in Double(random.below(distinct)) }
                let sorted = values.sorted()
                let expected = (sorted[(count - 1) / 2] + sorted[count / 2]) / 2
                #expect(medianInPlace(&values) == expected)
                #expect(values.sorted() == sorted)
            }
        }
    }

    @Test("quantiles are weighted, and the median of two is their middle")
    func quantiles() {
        #expect(weightedQuantile([(1, 1), (3, 1)], 0.5) == 2)
        #expect(weightedQuantile([(1, 1), (3, 5), (9, 1)], 0.5) == 3)
    }
}
