import Contracts
import Forecasting
import Foundation
import HistoryFeed
import TestSupport
import Testing

@testable import MLPrediction

/// An answer says why it leaves something out.
@Suite struct ChanceWarningTests {
    private let history = SyntheticHistory(allocations: 120)

    private var knowledge: TenantKnowledge {
        var intake = TenantKnowledge.Intake()
        for line in history.lines { intake.take(line) }
        return intake.finish(HistoryEnd(watermark: "1", lines: history.lines.count))
    }

    /// With all that the history knows of its work: a question that leaves something out is another model's.
    private func answer(_ planned: Double?, by model: LoadedModel) throws -> Advisor.Answer {
        let (knowledge, today) = (knowledge, CivilDate(history.end))
        let request = PredictionRequest(
            employeeId: history.employees[1].id, projectId: history.projects[0].id, plannedHours: planned,
            allocationPercentage: 100, startDate: today, endDate: today.adding(days: 4), asOf: history.end)
        var errors: [FieldError] = []
        let question = try #require(
            Question(request, knowledge: knowledge, now: history.end, errors: &errors), "\(errors)")
        return Advisor(knowledge: knowledge, model: model).answer(question)
    }

    @Test("where a model has no chance of keeping a plan to give, the answer says so, and the card that plans were few")
    func noChance() throws {
        // About half of all plans are kept, in too few rows to tell which.
        let outcome = try TrainingRun(
            history: knowledge.history,
            configuration: TrainingConfiguration(
                months: 240, epochs: 10, seed: 3, asOf: history.end.timeIntervalSince1970, maximumTrees: 20,
                searchSeconds: 0)
        ).run()
        let model = LoadedModel(id: ModelID(), version: 1, kind: "test", forecast: outcome.model)
        func saysSo(_ answer: Advisor.Answer) -> Bool {
            answer.warnings.contains { $0.hasPrefix("No chance of keeping the plan is given") }
        }
        let planned = try answer(12, by: model)
        #expect(planned.forecast.successProbability == nil && saysSo(planned))
        // Nothing may be said of what nobody could know from so few.
        #expect(planned.warnings.allSatisfy { !$0.contains("cannot tell") })
        #expect(outcome.modelCard.contains("could show whether anything tells plans that are kept from others"))
        #expect(!outcome.modelCard.contains("Nothing was found"))
        // Without a plan there is nothing to keep.
        #expect(try !saysSo(answer(nil, by: model)))
    }

    @Test("where the baseline answers in place of a refused model, the answer says which model, why, and what to do")
    func refusedModel() throws {
        var model = LoadedModel.baseline
        #expect(try answer(12, by: model).warnings.contains { $0.hasPrefix("No model is deployed: ") })
        model.refused = (ModelID(), 7, ModelRefusal(cause: .selfTest, reason: "it answers otherwise than before"))
        let warnings = try answer(12, by: model).warnings
        let start = "Version 7 of the model is deployed and cannot answer (it answers otherwise than before): "
        #expect(warnings.contains { $0.hasPrefix(start) && $0.contains("Train a model and deploy it") }, "\(warnings)")
        #expect(!warnings.contains { $0.contains("No model is deployed") })
    }
}
