import Contracts
import Forecasting
import Foundation
import HTTPTypes
import HistoryFeed
import Postgres
import ServiceStorage
import TestSupport
import Testing

@testable import MLPrediction

/// The alarms of a model in service, and its chances following what comes true.
@Suite struct DriftOverHTTPTests {
    @Test(
        "forecasts that drift from outcomes raise alarms that only the tenant can read; the day tells how far off"
    )
    func alarms() async throws {
        try await PredictionsOverHTTP.with { service in
            let people = TrainedModel.history.employees
            let questions = (0..<100).map { index in
                """
                {"employeeId": "\(people[index % people.count].id)", "projectId": "\(TrainedModel.history.projects[index % 3].id)",
                "plannedHours": \(index + 1)}
                """
            }
            let body = "{\"requests\": [\(questions.joined(separator: ","))]}"
            #expect(try await service.send(.post, "/api/v1/predictions/batch", body).status == .ok)
            let span = "?from=2026-06-01&to=2026-06-30"
            #expect(try await service.send(.get, "/api/v1/metrics/alarms\(span)").body["data"] == .array([]))
            // Everything takes nine times as long as was said.
            try await service.database.withTenantRows(service.tenant) { connection in
                _ = try await connection.execute(
                    """
                    UPDATE predictions SET actual_hours = 9 * estimated_hours, actual_result = jsonb_build_object(
                        'actualHours', 9 * estimated_hours, 'completedAt', '2026-06-15T12:00:'
                            || lpad((planned_hours::integer % 60)::text, 2, '0') || '.000Z')
                    """)
            }
            let alarms = try await service.send(.get, "/api/v1/metrics/alarms\(span)")
            guard case .array(let found)? = alarms.body["data"] else {
                Issue.record("no alarms: \(alarms.body)")
                return
            }
            #expect(found.contains { $0["kind"]?.stringValue == "range" }, "\(alarms.body)")
            #expect(found.allSatisfy { ($0["evidence"]?.doubleValue ?? 0) >= 400 })
            let other = try await service.send(.get, "/api/v1/metrics/alarms\(span)&modelId=\(ModelID())")
            #expect(other.body["data"] == .array([]))
            #expect(try await service.send(.get, "/api/v1/metrics/alarms\(span)", permissions: []).status == .forbidden)
            guard case .array(let days)? = try await service.send(.get, "/api/v1/metrics").body["data"],
                let day = days.first
            else {
                Issue.record("no metrics")
                return
            }
            #expect(day["outcomesCount"] == .integer(100) && day["coverage80"]?.doubleValue == 0)
            #expect((day["meanAbsoluteError"]?.doubleValue ?? 0) > 10)
        }
    }

    @Test("a model's chances follow the outcomes that have become known since it was fitted, and only those")
    func follows() async throws {
        let bytes = try await TrainedModel.artifact.value
        let model = LoadedModel(id: ModelID(), version: 1, kind: "test", forecast: try ForecastModel(decoding: bytes))
        let known = TrainedModel.history
        // Sixty more bookings, each of which takes five times its plan.
        let later = (0..<60).map { index -> HistoryLine in
            let decided = known.end.addingTimeInterval(Double(index) * 3_600)
            let planned = Double(2 + index % 20)
            return .allocation(
                Contracts.Allocation(
                    id: AllocationID(), externalId: "L\(index)", employeeId: known.employees[index % 6].id,
                    projectId: known.projects[index % 3].id, allocationPercentage: 50, allocatedHours: planned,
                    plannedHours: planned, actualHours: 5 * planned, requiredSkills: ["SQL"], labels: [:],
                    startDate: CivilDate(decided), endDate: nil, completedAt: decided.addingTimeInterval(3_600),
                    createdAt: decided))
        }
        func knowledge(_ lines: [HistoryLine]) -> TenantKnowledge {
            var intake = TenantKnowledge.Intake()
            for line in lines { intake.take(line) }
            return intake.finish(HistoryEnd(watermark: "1", lines: lines.count))
        }
        let models = RecalibratedModels()
        let tenant = TenantID()
        let moment = known.end.addingTimeInterval(90 * 86_400).timeIntervalSince1970
        let before = knowledge(known.lines).history
        let unmoved = models.model(model, of: tenant, history: before, at: moment)
        let after = knowledge(known.lines + later).history
        let moved = models.model(model, of: tenant, history: after, at: moment)
        func chance(_ model: LoadedModel) throws -> Double {
            let decision = try #require(after.allocations.last).employee
            return try #require(
                model.forecast.forecast(
                    Decision(
                        employee: decision, project: known.projects[0].id.description, skills: ["SQL"],
                        plannedHours: 8, allocationPercent: 50, start: moment, at: moment), history: after,
                    explaining: false
                ).successProbability)
        }
        #expect(try chance(unmoved) == chance(model))
        #expect(try chance(moved) < 0.8 * chance(model))
        // As of a moment before the new outcomes nothing has moved, whatever was asked last.
        let past = models.model(model, of: tenant, history: after, at: known.end.timeIntervalSince1970)
        #expect(try chance(past) == chance(model))
    }
}
