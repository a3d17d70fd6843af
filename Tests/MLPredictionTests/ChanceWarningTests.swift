import Contracts
import Forecasting
import Foundation
import HistoryFeed
import TestSupport
import Testing

@testable import MLPrediction

/// An answer says why it leaves something out.
@Suite struct ChanceWarningTests {
    @Test("where a model cannot tell which plans are kept, it gives no chance, and the answer says so")
    func noChance() throws {
        // About half of all plans are kept, in too few rows to tell which.
        let history = SyntheticHistory(allocations: 120)
        var intake = TenantKnowledge.Intake()
        for line in history.lines { intake.take(line) }
        let knowledge = intake.finish(HistoryEnd(watermark: "1", lines: history.lines.count))
        let trained = try TrainingRun(
            history: knowledge.history,
            configuration: TrainingConfiguration(
                months: 240, epochs: 10, seed: 3, asOf: history.end.timeIntervalSince1970, maximumTrees: 20,
                searchSeconds: 0)
        ).run().model
        let model = LoadedModel(id: ModelID(), version: 1, kind: "test", forecast: trained)
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
        // Without a plan there is nothing to keep.
        #expect(try !saysSo(answer(nil)))
    }
}
