import Contracts
import Foundation
import Testing

@testable import Ermctl

@Suite struct OutputTests {
    @Test("columns are as wide as their widest cell, numbers flush right")
    func table() {
        var table = Table(("NAME", .left), ("HOURS", .right))
        table.add("Ada", "2.50")
        table.add("Grace Hopper", "12.00")
        #expect(
            table.rendered() == """
                NAME          HOURS
                ────────────  ─────
                Ada            2.50
                Grace Hopper  12.00
                """)
    }

    @Test("a bar fills with its fraction and never overflows")
    func bar() {
        #expect(ProgressBar.line("training", 0.5, "loss 0.1", width: 4) == "training  [██░░]  50 %  loss 0.1")
        #expect(ProgressBar.line("training", 7, "", width: 4) == "training  [████] 100 %  ")
        #expect(ProgressBar.line("training", .nan, "", width: 4) == "training  [░░░░]   0 %  ")
    }

    @Test("a prediction's reasons are printed as sentences, and those of old records by name")
    func reasons() {
        let prediction = Prediction(
            predictionId: PredictionID(), recommendedAllocation: 50, allocationNote: nil, estimatedHours: 12,
            successProbability: nil, confidence: nil, interval: nil, intervals: [],
            explanation: [
                FeatureEffect(feature: "all tasks", effect: 1.2, text: "Everyone together has finished 70 tasks."),
                FeatureEffect(feature: "everything else", effect: 0.998),
            ],
            model: PredictionModel(id: nil, version: 0, kind: "baseline"), alternativeOptions: [],
            asOf: Date(timeIntervalSince1970: 0))
        let lines = PredictCommand.text(prediction).split(separator: "\n")
        #expect(lines.contains("because              ×1.20  Everyone together has finished 70 tasks."))
        #expect(lines.contains("                     ×1.00  everything else"))
    }

    @Test("a table of models says what was refused, and a finished job says by what figures")
    func refusals() {
        let refusal = GateRefusal(refused: .chances, reason: "Brier score 0.300 where 0.200.")
        func row(_ refusals: [GateRefusal]?) -> String? {
            let model = ModelSummary(
                id: ModelID(), name: "m", modelType: "m", kind: "k", version: 1, status: .validated, accuracyScore: nil,
                precisionScore: nil, recallScore: nil, f1Score: nil, datasetId: DatasetID(), artifactSha256: "",
                createdAt: Date(timeIntervalSince1970: 0), deployedAt: nil, refusals: refusals)
            return ModelsCommand.table([model]).split(separator: "\n").last.map(String.init)
        }
        #expect(row([refusal])?.contains(" chances ") == true)
        #expect(row([])?.contains("chances") == false && row(nil)?.contains("see its card") == true)
        let job = TrainingJob(
            id: JobID(), status: .succeeded, stage: "done", months: 6, epochs: 10, seed: 1,
            asOf: Date(timeIntervalSince1970: 0), attempts: 1, createdAt: Date(timeIntervalSince1970: 0),
            startedAt: nil, finishedAt: nil, datasetId: nil, modelId: ModelID(), error: nil, progress: [],
            refusals: [refusal])
        #expect(
            TrainingWatch.summary(job).hasSuffix(
                "\nChances of keeping a plan are refused: Brier score 0.300 where 0.200."))
    }
}
