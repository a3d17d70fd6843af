import Basics
import Foundation
import Testing

@testable import Forecasting

@Suite struct LeakTests {
    private let history = Company().history(150)

    @Test("features do not move when everything after the decision is scrambled")
    func asOf() {
        #expect(AsOfCheck.leaks(in: history, sample: 40).isEmpty)
    }

    @Test("an outcome planted as a feature is caught")
    func plantedOutcome() {
        let leaks = AsOfCheck.leaks(in: history) { allocation, _ in [1, Float(allocation.actualHours ?? 0)] }
        #expect(!leaks.isEmpty)
        #expect(leaks.allSatisfy { $0.feature == 1 })
    }

    @Test("a person's mean over the whole of history is caught")
    func plantedWholeHistoryMean() {
        let leaks = AsOfCheck.leaks(in: history) { allocation, history in
            let own = history.allocations.filter { $0.employee == allocation.employee }.compactMap(\.actualHours)
            return [Float(own.reduce(0, +) / Double(max(1, own.count)))]
        }
        #expect(!leaks.isEmpty)
    }

    @Test("counting what finishes at the very moment of the decision is caught")
    func plantedSameMoment() {
        // Every completion falls on a later decision, so that "at or before" differs from "before".
        let dense = History(
            allocations: (0..<60).map { index in
                Allocation(
                    id: "\(index)", employee: "e", project: "p", plannedHours: 1, actualHours: 2,
                    decidedAt: Double(index), completedAt: Double(index + 1))
            })
        let leaks = AsOfCheck.leaks(in: dense) { allocation, history in
            let seen = history.allocations.filter { ($0.completedAt ?? .infinity) <= allocation.decidedAt }
            return [Float(seen.compactMap(\.actualHours).reduce(0, +))]
        }
        #expect(!leaks.isEmpty)
        #expect(AsOfCheck.leaks(in: dense).isEmpty)
    }

    @Test("a shuffled split is refused")
    func plantedRandomSplit() {
        var random = SeededGenerator(seed: 3)
        var parts: [String: TrainingConfiguration.Part] = [:]
        for allocation in history.allocations { parts[allocation.id] = random.below(5) == 0 ? .valid : .train }
        #expect(throws: TrainingError.self) {
            _ = try TrainingRun(
                history: history,
                configuration: TrainingConfiguration(asOf: .infinity, split: .assigned(parts)))
        }
    }

    @Test("rows unfinished at the cut are purged from fitting")
    func purged() throws {
        let rows = history.learningRows(asOf: .infinity)
        let split = try TimeSplit(rows: rows, split: .latest(share: 0.2))
        for fold in split.folds {
            let first = try #require(fold.judge.map { rows[$0].decision.at }.min())
            #expect(fold.fit.allSatisfy { rows[$0].completedAt < first && rows[$0].decision.at < first })
        }
        let cut = try #require(split.judge.map { rows[$0].decision.at }.min())
        #expect(
            rows.contains { $0.decision.at < cut && $0.completedAt >= cut }, "the data must have such rows to show it")
    }

    @Test("planned ends that equal the days of completion are not trusted")
    func plantedEnds() {
        var allocations = Company().allocations(60)
        for index in allocations.indices { allocations[index].plannedEnd = allocations[index].completedAt }
        let rows = History(allocations: allocations).learningRows(asOf: .infinity)
        #expect(!FeatureSchema(withPlan: true, learningFrom: rows).usesPlannedEnd)
        for index in allocations.indices { allocations[index].plannedEnd = allocations[index].decidedAt + 20 * 86_400 }
        let honest = History(allocations: allocations).learningRows(asOf: .infinity)
        #expect(FeatureSchema(withPlan: true, learningFrom: honest).usesPlannedEnd)
    }

    @Test("without a plan, neither the plan nor the percentage derived from it reaches the features")
    func withoutPlan() throws {
        let schema = FeatureSchema(withPlan: false, labelKeys: ["priority"])
        var decision = Decision(try #require(history.allocations.last))
        let before = FeatureBuilder(schema: schema, history: history).values(decision)
        decision.plannedHours = 999
        decision.allocationPercent = 3
        let after = FeatureBuilder(schema: schema, history: history).values(decision)
        #expect(before.map(\.bitPattern) == after.map(\.bitPattern))
    }

    @Test("every feature is described once, in the order of its values")
    func described() throws {
        for withPlan in [true, false] {
            let schema = FeatureSchema(withPlan: withPlan, labelKeys: ["priority", "team"])
            let features = schema.features
            let values = FeatureBuilder(schema: schema, history: history).values(
                Decision(try #require(history.allocations.last)))
            #expect(features.count == values.count)
            #expect(Set(features.map(\.name)).count == features.count)
            #expect(
                features.prefix(5).map(\.name) == [
                    "base.allocation", "base.hours", "base.skills", "base.performance", "base.completion",
                ])
        }
    }
}
