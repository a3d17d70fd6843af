import Contracts
import Forecasting
import Foundation
import HistoryFeed
import TestSupport
import Testing

@testable import MLPrediction

/// An answer says why it leaves something out.
@Suite struct ChanceWarningTests {
    @Test("where a model has no chance of keeping a plan to give, the answer says so, and the card that plans were few")
    func noChance() throws {
        // About half of all plans are kept, in too few rows to tell which.
        let history = SyntheticHistory(allocations: 120)
        var intake = TenantKnowledge.Intake()
        for line in history.lines { intake.take(line) }
        let knowledge = intake.finish(HistoryEnd(watermark: "1", lines: history.lines.count))
        let outcome = try TrainingRun(
            history: knowledge.history,
            configuration: TrainingConfiguration(
                months: 240, epochs: 10, seed: 3, asOf: history.end.timeIntervalSince1970, maximumTrees: 20,
                searchSeconds: 0)
        ).run()
        let model = LoadedModel(id: ModelID(), version: 1, kind: "test", forecast: outcome.model)
        let today = CivilDate(history.end)
        // With all that the history knows of its work: a question that leaves something out is another model's.
        func answer(_ planned: Double?) throws -> Advisor.Answer {
            let request = PredictionRequest(
                employeeId: history.employees[1].id, projectId: history.projects[0].id, plannedHours: planned,
                allocationPercentage: 100, startDate: today, endDate: today.adding(days: 4), asOf: history.end)
            var errors: [FieldError] = []
            let question = try #require(
                Question(request, knowledge: knowledge, now: history.end, errors: &errors), "\(errors)")
            return Advisor(knowledge: knowledge, model: model).answer(question)
        }
        func saysSo(_ answer: Advisor.Answer) -> Bool {
            answer.warnings.contains { $0.hasPrefix("No chance of keeping the plan is given") }
        }
        let planned = try answer(12)
        #expect(planned.forecast.successProbability == nil && saysSo(planned))
        // Nothing may be said of what nobody could know from so few.
        #expect(planned.warnings.allSatisfy { !$0.contains("cannot tell") })
        #expect(outcome.modelCard.contains("could show whether anything tells plans that are kept from others"))
        #expect(!outcome.modelCard.contains("Nothing was found"))
        // Without a plan there is nothing to keep.
        #expect(try !saysSo(answer(nil)))
    }
}
