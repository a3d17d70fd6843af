import Contracts
import Forecasting
import Foundation
import HTTPTypes
import HistoryFeed
import TestSupport
import Testing

@testable import MLPrediction

/// A bundle has everything that is needed to give a served answer again.
@Suite struct ReproducedPredictionTests {
    @Test("the bundle and the history give every figure of a served prediction again, bit for bit")
    func bitForBit() async throws {
        // Change by change, as the service does not build it, from a bundle that no service has touched.
        var known = History()
        for line in TrainedModel.history.lines { if let change = line.change { known.apply(change) } }
        let history = known
        let model = try ForecastModel(decoding: try await TrainedModel.artifact.value)
        let moment = SyntheticHistory.start.addingTimeInterval(21.5 * 86_400)
        let (start, end) = (CivilDate(moment).adding(days: 2), CivilDate(moment).adding(days: 12))

        try await PredictionsOverHTTP.with { service in
            for (index, employee) in TrainedModel.history.employees.enumerated() {
                for planned in [nil, 3.25 + Double(index)] {
                    let project = TrainedModel.history.projects[index % 3].id
                    let plan = planned.map { #""plannedHours": \#($0), "# } ?? ""
                    let body = """
                        {"employeeId": "\(employee.id)", "projectId": "\(project)", "requiredSkills": ["SQL", "Swift"],
                        \(plan)"startDate": "\(start)", "endDate": "\(end)", "labels": {"priority": "high"},
                        "asOf": "\(WireJSON.timestamp(moment))"}
                        """
                    let answer = try await service.send(.post, "/api/v1/predictions", body)
                    let data = try #require(answer.body["data"], "\(answer.body)")
                    let decision = Decision(
                        employee: employee.id.description, project: project.description, skills: ["SQL", "Swift"],
                        labels: ["priority": "high"], plannedHours: planned, allocationPercent: nil,
                        start: start.secondsSince1970, end: end.secondsSince1970, at: moment.timeIntervalSince1970)
                    let expected = model.forecast(decision, history: history)
                    var unexplained = expected
                    unexplained.explanation = []
                    #expect(model.forecast(decision, history: history, explaining: false) == unexplained)
                    func isSame(_ served: JSONValue?, _ value: Double?) -> Bool {
                        served?.doubleValue?.bitPattern == value?.bitPattern
                    }
                    #expect(isSame(data["estimatedHours"], expected.hours))
                    #expect(isSame(data["confidence"], expected.confidence))
                    let success = planned == nil ? nil : expected.successProbability
                    #expect(isSame(data["successProbability"], success))
                    guard case .array(let intervals)? = data["intervals"] else {
                        Issue.record("no intervals")
                        return
                    }
                    #expect(!intervals.isEmpty && intervals.count == expected.intervals.count)
                    for (served, range) in zip(intervals, expected.intervals) {
                        #expect(isSame(served["low"], range.low) && isSame(served["high"], range.high))
                    }
                }
            }
        }
    }
}
