import Contracts
import Forecasting
import Foundation
import HistoryFeed
import TestSupport
import Testing

@testable import MLPrediction

/// A live question and the training row that its booking becomes are the same to the models.
@Suite struct QuestionSkewTests {
    private func knowledge(_ lines: [HistoryLine]) -> TenantKnowledge {
        var knowledge = TenantKnowledge()
        knowledge.take(lines, end: HistoryEnd(watermark: "1", lines: lines.count))
        return knowledge
    }

    @Test("for a whole history the decision of a live question is the decision that training reads")
    func sameDecision() throws {
        let history = TrainedModel.history
        // Labels, titles and percentages differ from row to row, so that a field left out would show.
        let bookings = history.allocations.enumerated().map { index, given in
            Allocation(
                id: given.id, externalId: given.externalId, employeeId: given.employeeId, projectId: given.projectId,
                allocationPercentage: Double(10 + index % 9 * 10), allocatedHours: given.allocatedHours,
                plannedHours: given.plannedHours, actualHours: given.actualHours,
                title: "Task \(index % 7)", requiredSkills: given.requiredSkills, labels: ["priority": "\(index % 3)"],
                startDate: given.startDate, endDate: given.endDate,
                completedAt: given.completedAt, createdAt: given.createdAt)
        }
        let lines = history.employees.map(HistoryLine.employee) + history.projects.map(HistoryLine.project)
        let known = knowledge(lines + bookings.map(HistoryLine.allocation))
        for booking in bookings {
            let request = PredictionRequest(
                employeeId: booking.employeeId, projectId: booking.projectId, requiredSkills: booking.requiredSkills,
                plannedHours: booking.plannedHours, allocationPercentage: booking.allocationPercentage,
                startDate: booking.startDate, endDate: booking.endDate, labels: booking.labels,
                title: booking.title, asOf: booking.createdAt)
            var errors: [FieldError] = []
            let question = try #require(Question(request, knowledge: known, now: Date(), errors: &errors), "\(errors)")
            let row = try #require(known.history.allocation(id: booking.id.description))
            #expect(question.decision(for: booking.employeeId) == Decision(row))
        }
    }

    @Test(
        "a person without a required skill is no alternative, and a skill that no person has is reported as unknown")
    func skills() async throws {
        let known = knowledge(TrainedModel.history.lines)
        let model = LoadedModel.baseline
        func answer(_ skills: [String]) throws -> Advisor.Answer {
            var errors: [FieldError] = []
            let request = PredictionRequest(
                employeeId: TrainedModel.history.employees[0].id, projectId: TrainedModel.history.projects[0].id,
                requiredSkills: skills, plannedHours: 8)
            let question = try #require(Question(request, knowledge: known, now: Date(), errors: &errors), "\(errors)")
            return Advisor(knowledge: known, model: model).answer(question)
        }
        func others(_ answer: Advisor.Answer) -> [AlternativeOption] { answer.comparison?.alternatives ?? [] }
        let swift = try answer(["swift"])
        // Every other person has it.
        #expect(others(swift).count == 2 && others(swift).allSatisfy { $0.skillMatch == 1 })
        let both = try answer(["Swift", "SQL"])
        #expect(others(both).isEmpty && both.warnings.contains { $0.hasPrefix("Nobody else") })
        let unknown = try answer(["Haruspicy"])
        #expect(others(unknown).isEmpty && unknown.warnings.contains { $0.contains("haruspicy") })
    }
}
