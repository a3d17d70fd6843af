import Foundation
import NeuralNetwork
import Testing

@testable import Forecasting

@Suite struct CandidateHeadsTests {
    private func fitted(
        _ count: Int, seed: UInt64
    ) throws -> (VariantTrainer.Result, rows: [LearningRow], matrix: FeatureMatrix) {
        // Noisy enough for means over kinds of models to win, and for trees to have a say in the chance of success.
        let history = Company(noise: 0.5, seed: seed).history(count)
        let configuration = TrainingConfiguration(
            months: 12, epochs: 3, seed: 1, asOf: Company.end(count), maximumTrees: 40)
        let run = try TrainingRun(history: history, configuration: configuration)
        let result = try run.fitOnly(withPlan: true)
        // The rows that choose, on which everything is calibrated.
        let rows = try #require(run.plannedSplit).judge.map { run.plannedRows[$0] }
        return (result, rows, history.features(of: rows, schema: result.model.schema))
    }

    @Test("chances of success are of the candidate's own kind of model; the winner's and wide means' are what serves")
    func success() throws {
        let (result, rows, matrix) = try fitted(600, seed: 1)
        for (model, heads) in [(result.judgedModel, result.judgedHeads), (result.model, result.heads)] {
            let whole = try #require(model.success)
            #expect(0 < whole.linearShare && whole.linearShare < 1)
            let (linear, trees) = (try #require(whole.linear), try #require(whole.trees))
            let served = whole.raw(matrix).map(whole.calibration.probability)
            guard case .network(let network)? = model.members.baseNetwork else {
                Issue.record("the base network must compete")
                return
            }
            let outputs = network.outputs(matrix)
            for (index, candidate) in model.candidates.enumerated() {
                let said = try #require(heads[index].probabilities(matrix))
                let own: [Double]? =
                    switch candidate.name {
                    case "planned_hours", "person_ratio": rows.map { _ in 0 }
                    case "linear_log_ratio", "linear_median", "linear_pooled": linear.predict(matrix)
                    case "boosted_trees_mean", "boosted_trees_median", "boosted_trees": trees.predict(matrix)
                    case "base_network": rows.indices.map { Double(outputs[BaseOutput.success.place(inRow: $0)]) }
                    default: nil
                    }
                guard index != model.winner, let own else {
                    #expect(zip(said, served).allSatisfy { $0 == $1 }, "\(candidate.name)")
                    continue
                }
                // The network's odds may tell nothing, and are then not believed.
                let isConstant = Set(said).count == 1
                #expect(isConstant == candidate.isBaseline || candidate.isFittedOnce, "\(candidate.name)")
                // Calibration keeps the order and tells nothing apart that its source does not.
                let order = own.indices.sorted { own[$0] < own[$1] }
                for (a, b) in zip(order, order.dropFirst()) {
                    #expect(said[a] <= said[b] && (own[a] < own[b] || said[a] == said[b]), "\(candidate.name)")
                }
                #expect(zip(said, served).contains { $0 != $1 }, "\(candidate.name)")
            }
        }
    }

    @Test("a candidate's ranges hold its own errors", arguments: [600, 60])
    func ranges(count: Int) throws {
        // Of many rows, the first company where a mean over kinds of models answers.
        let companies = (4..<(count == 600 ? 10 : 5)).lazy.map { try? fitted(count, seed: $0) }
        let (result, rows, matrix) = try #require(
            companies.compactMap { $0 }.first {
                $0.0.model.candidates[$0.0.model.winner].kinds.count > 1 || count == 60
            })
        let model = result.judgedModel
        var widths: [String: Set<Double>] = [:]
        for (index, candidate) in model.candidates.enumerated() {
            var held: [Int: Int] = [:]
            for row in rows.indices {
                matrix.values.withUnsafeBufferPointer { values in
                    let features = UnsafeBufferPointer(
                        rebasing: values[row * matrix.columns..<(row + 1) * matrix.columns])
                    let estimate = model.estimate(features, candidate: index)
                    guard let base = features.baseAddress else { return }
                    for range in result.judgedHeads[index].intervals.ranges(base, around: estimate) {
                        widths[candidate.name, default: []].insert(((range.high - range.low) * 1e9).rounded())
                        if range.low <= rows[row].logRatio, rows[row].logRatio <= range.high {
                            held[range.level, default: 0] += 1
                        }
                    }
                }
            }
            #expect(!held.isEmpty)
            for (level, held) in held { #expect(held * 100 >= rows.count * level, "\(candidate.name) \(level) %") }
        }
        // One pair of factors a level where there are no trees of quantiles; with few rows nobody has them, nor 90 %.
        let winner = model.candidates[model.winner].name
        let plain = ["planned_hours", "person_ratio", "linear_median", "base_network"]
        for name in count == 600 ? plain : plain + ["boosted_trees"] {
            #expect(widths[name]?.count == (count == 600 ? 2 : 1), "\(name)")
            // With few rows most candidates answer with the plan, around which all ranges are the same.
            let isOwn = widths[name] != widths[winner]
            #expect(isOwn || (count == 60 && name != "person_ratio" && name != "base_network"), "\(name)")
        }
        #expect(((widths[winner]?.count ?? 0) > 2) == (count == 600))
    }
}
