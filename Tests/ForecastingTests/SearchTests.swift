import Basics
import Foundation
import Testing

@testable import Forecasting

@Suite struct SearchTests {
    @Test("what is usual stays unless another setting is better beyond chance")
    func contest() {
        /// Of a rival that is better by so many standard errors.
        func wins(_ errors: Double) -> Bool {
            var contest = Contest(usual: 0)
            // A hundred differences with a standard deviation of 1: their mean has a standard error of a tenth.
            for half in [0..<50, 50..<100] {
                contest.add(
                    1, losses: half.map { 3 - errors / 10 + ($0 % 2 == 0 ? 1 : -1) }, usually: half.map { _ in 3 })
            }
            return contest.winner == 1
        }
        #expect(!wins(2.8) && wins(3.2))
    }

    @Test("of the settings that are better beyond chance the best one wins")
    func bestOfContest() {
        var contest = Contest(usual: 0)
        for (setting, loss) in [(1, 2.0), (2, 1.5), (3, 2.5)] {
            contest.add(
                setting, losses: (0..<10).map { loss + Double($0 % 2) / 10 }, usually: [Double](repeating: 3, count: 10)
            )
        }
        #expect(contest.winner == 2)
    }

    @Test("a rival that did no better on any row, or has been seen on one row only, does not win")
    func noEvidence() {
        var contest = Contest(usual: 1.0)
        contest.add(2, losses: [1, 2, 3], usually: [1, 2, 3])
        contest.add(3, losses: [0], usually: [5])
        contest.add(1, losses: [0, 0, 0], usually: [1, 2, 3])
        #expect(contest.winner == 1)
    }

    /// Settings found for rows whose log hours are a function of one feature.
    private func settings(_ logHours: (Double, inout SeededGenerator) -> Double) throws -> (
        usual: FitSettings, found: FitSettings
    ) {
        var random = SeededGenerator(seed: 5)
        var (values, rows): ([Float], [LearningRow]) = ([], [])
        for index in 0..<900 {
            let place = random.uniform()
            values += [Float(place), Float(random.uniform())]
            let at = Double(index) * 86_400
            rows.append(
                LearningRow(
                    id: "a\(index)", slot: Int32(index), decision: Decision(employee: "e", project: "p", at: at),
                    completedAt: at + 1, hours: exp(logHours(place, &random)), planned: 0))
        }
        let split = try TimeSplit(rows: rows, split: .latest(share: 0.15))
        let usual = FitSettings(withPlan: false, maximumTrees: 400, rows: rows.count)
        var found = usual
        try Search(
            data: FitData(rows: rows, matrix: FeatureMatrix(values: values, columns: 2), withPlan: false), split: split,
            seed: 1, maximumTrees: 400, budget: 20, isCancelled: { false }
        ).tune(&found)
        return (usual, found)
    }

    @Test(
        "the search keeps the usual settings where there is nothing to learn, and finds finer trees where they tell more"
    )
    func search() throws {
        let noise = try settings { $1.uniform() }
        #expect(noise.found.meanTrees == noise.usual.meanTrees)
        #expect(noise.found.penaltyShare == noise.usual.penaltyShare)
        let steps = try settings { place, _ in (place * 40).rounded(.down).truncatingRemainder(dividingBy: 7) }
        #expect(steps.found.meanTrees != steps.usual.meanTrees)
        #expect(steps.found.meanTrees.count > steps.usual.meanTrees.count)
    }

    @Test("few rows carry few trees, and more than the usual most are not taken unasked")
    func usualTrees() {
        func count(_ rows: Int) -> Int { FitSettings(withPlan: true, maximumTrees: 400, rows: rows).meanTrees.count }
        #expect(count(100) == 34)
        #expect(count(1_000) == 70)
        #expect(count(100_000) == 150)
        #expect(FitSettings(withPlan: true, maximumTrees: 20, rows: 1_000).medianTrees.count == 20)
    }
}
