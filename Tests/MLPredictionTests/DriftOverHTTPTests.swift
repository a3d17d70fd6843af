import Contracts
import Forecasting
import Foundation
import HTTPTypes
import HistoryFeed
import Postgres
import ServiceStorage
import Synchronization
import TestSupport
import Testing

@testable import MLPrediction

/// The alarms of a model in service, and its chances following what comes true.
@Suite struct DriftOverHTTPTests {
    /// Twenty days ago a hundred questions were asked about as many plans, and the work took nine times as long as was said: three days.
    /// All work of the history takes five days, so that the outcomes were due fifteen days ago.
    private func askAndDrift(_ service: PredictionsOverHTTP) async throws {
        let people = TrainedModel.history.employees
        let questions = (0..<100).map { index in
            """
            {"employeeId": "\(people[index % people.count].id)", "projectId": "\(TrainedModel.history.projects[index % 3].id)",
            "plannedHours": \(index + 1)}
            """
        }
        let body = "{\"requests\": [\(questions.joined(separator: ","))]}"
        #expect(try await service.send(.post, "/api/v1/predictions/batch", body).status == .ok)
        let early = try await service.send(.get, "/api/v1/metrics/alarms").body
        #expect(early["data"] == .array([]), "\(early)")
        try await service.database.withTenantRows(service.tenant) { connection in
            _ = try await connection.execute(
                """
                UPDATE predictions SET created_at = created_at - interval '20 days', actual_hours = 9 * estimated_hours,
                    actual_result = jsonb_build_object('actualHours', 9 * estimated_hours, 'completedAt',
                        to_char((created_at - interval '17 days') AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'))
                """)
        }
    }

    @Test(
        "forecasts that drift from outcomes raise alarms that only the tenant can read; the day tells how far off"
    )
    func alarms() async throws {
        try await PredictionsOverHTTP.with { service in
            try await askAndDrift(service)
            let alarms = try await service.send(.get, "/api/v1/metrics/alarms")
            guard case .array(let found)? = alarms.body["data"] else {
                Issue.record("no alarms: \(alarms.body)")
                return
            }
            #expect(found.contains { $0["kind"]?.stringValue == "range" }, "\(alarms.body)")
            #expect(found.allSatisfy { ($0["evidence"]?.doubleValue ?? 0) >= 400 })
            let other = try await service.send(.get, "/api/v1/metrics/alarms?modelId=\(ModelID())")
            #expect(other.body["data"] == .array([]))
            #expect(try await service.send(.get, "/api/v1/metrics/alarms", permissions: []).status == .forbidden)
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

    @Test("outcomes are watched behind thousands of newer questions that have none, as a busy company asks them")
    func busy() async throws {
        try await PredictionsOverHTTP.with { service in
            try await askAndDrift(service)
            try await service.database.withTenantRows(service.tenant) { connection in
                _ = try await connection.execute(
                    """
                    INSERT INTO predictions (id, tenant_id, model_id, model_version, model_kind, employee_id, project_id,
                        input_data, prediction_result, estimated_hours, planned_hours, requested_by, created_at, updated_at)
                    SELECT gen_random_uuid(), tenant_id, model_id, model_version, model_kind, employee_id, project_id,
                        input_data, prediction_result, estimated_hours, planned_hours, requested_by, now() - interval '1 hour', now()
                    FROM predictions, generate_series(1, 51)
                    """)
            }
            let alarms = try await service.send(.get, "/api/v1/metrics/alarms").body["data"]
            guard case .array(let found)? = alarms else {
                Issue.record("no alarms: \(String(describing: alarms))")
                return
            }
            #expect(found.contains { $0["kind"]?.stringValue == "range" }, "\(found)")
        }
    }

    @Test("an alarm that was given stays listed, whatever its predictions say later")
    func stays() async throws {
        try await PredictionsOverHTTP.with { service in
            try await askAndDrift(service)
            let given = try await service.send(.get, "/api/v1/metrics/alarms").body["data"]
            try await service.database.withTenantRows(service.tenant) { connection in
                _ = try await connection.execute("UPDATE predictions SET actual_hours = NULL, actual_result = NULL")
            }
            let later = try await service.send(.get, "/api/v1/metrics/alarms").body["data"]
            #expect(given != .array([]) && later == given)
        }
    }

    @Test("an outcome is watched from the decision on the work, which may be weeks after the question")
    func decided() async throws {
        try await PredictionsOverHTTP.with { service in
            let history = TrainedModel.history
            let asked = try await service.send(
                .post, "/api/v1/predictions",
                #"{"employeeId": "\#(history.employees[0].id)", "projectId": "\#(history.projects[0].id)", "plannedHours": 8}"#
            )
            let model = try #require(ModelID(asked.body["data"]?["model"]?["id"]?.stringValue ?? ""))
            try await service.database.withTenantRows(service.tenant) { connection in
                _ = try await connection.execute(
                    """
                    UPDATE predictions SET created_at = created_at - interval '14 days',
                        prediction_result = jsonb_set(prediction_result, '{asOf}',
                            to_jsonb(to_char(now() - interval '14 days', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')))
                    """)
            }
            let decidedAt = Date().addingTimeInterval(-2 * 86_400)
            let booking = Contracts.Allocation(
                id: AllocationID(), externalId: "late", employeeId: history.employees[0].id,
                projectId: history.projects[0].id, allocationPercentage: 50, allocatedHours: 8, plannedHours: 8,
                actualHours: 9, requiredSkills: [], labels: [:], startDate: CivilDate(decidedAt), endDate: nil,
                completedAt: Date().addingTimeInterval(-3_600), createdAt: decidedAt)
            service.upstream.state.withLock { $0.lines[service.tenant]?.append(.allocation(booking)) }
            _ = try await service.send(.get, "/api/v1/metrics")
            let watched = PostgresWatchedPredictions(database: service.database)
            func outcomes(decidedFrom first: Double, to last: Double) async throws -> [WatchedOutcome] {
                let (start, end) = (Date().addingTimeInterval(first * 86_400), Date().addingTimeInterval(last * 86_400))
                return try await watched.outcomes(of: model, decided: start..<end, tenant: service.tenant)
            }
            let found = try #require(try await outcomes(decidedFrom: -3, to: -1).first)
            #expect(abs(found.decidedAt.timeIntervalSince(decidedAt)) < 1 && found.actual.actualHours == 9)
            #expect(try await outcomes(decidedFrom: -15, to: -13).isEmpty)
        }
    }

    @Test("a plan has hours, days from first to last, a percentage or hours per day; a question about the past is none")
    func plans() async throws {
        try await PredictionsOverHTTP.with { service in
            let history = TrainedModel.history
            let work = #""employeeId": "\#(history.employees[0].id)", "projectId": "\#(history.projects[0].id)""#
            let (first, last) = (CivilDate(Date()), CivilDate(Date()).adding(days: 9))
            let questions = [
                #"{\#(work), "startDate": "\#(first)", "endDate": "\#(last)", "allocationPercentage": 40}"#,
                #"{\#(work), "plannedHours": 8, "hoursPerDay": 2}"#,
                #"{\#(work), "plannedHours": 8, "asOf": "2026-01-01T00:00:00.000Z"}"#,
            ]
            var model: ModelID?
            for question in questions {
                let answer = try await service.send(.post, "/api/v1/predictions", question)
                let id = answer.body["data"]?["model"]?["id"]?.stringValue ?? ""
                model = model ?? ModelID(id)
            }
            let known = try #require(model)
            let span = Date().addingTimeInterval(-3_600)..<Date().addingTimeInterval(3_600)
            let watched = PostgresWatchedPredictions(database: service.database)
            let plans = try await watched.plans(of: known, asked: span, most: 9, tenant: service.tenant)
            #expect(plans.map(\.hours) == [nil, 8] && plans.map(\.days) == [10, nil])
            #expect(plans.map(\.allocationPercentage) == [40, nil] && plans.map(\.hoursPerDay) == [nil, 2])
            let newest = try await watched.plans(of: known, asked: span, most: 1, tenant: service.tenant)
            #expect(newest.map(\.hours) == [8])
            #expect(try await watched.models(asked: span, model: nil, tenant: service.tenant) == [known])
        }
    }

    @Test("confidence and what came true are of the same predictions, and the chances of success have a Brier score")
    func calibration() async throws {
        try await PredictionsOverHTTP.with { service in
            let history = TrainedModel.history
            var answers: [JSONValue] = []
            for planned in [4, 30] {
                let answer = try await service.send(
                    .post, "/api/v1/predictions",
                    #"{"employeeId": "\#(history.employees[planned % 6].id)", "projectId": "\#(history.projects[0].id)", "plannedHours": \#(planned)}"#
                )
                answers.append(try #require(answer.body["data"]))
            }
            func day() async throws -> JSONValue {
                guard case .array(let days)? = try await service.send(.get, "/api/v1/metrics").body["data"] else {
                    return .null
                }
                return days.first ?? .null
            }
            let before = try await day()
            #expect(before["predictionsCount"] == .integer(2) && (before["avgConfidence"] ?? .null) == .null)
            let id = try #require(answers[0]["predictionId"]?.stringValue)
            let recorded = try await service.send(.put, "/api/v1/predictions/\(id)/actual", #"{"actualHours": 5}"#)
            #expect(recorded.status == .ok)
            let after = try await day()
            let confidence = try #require(answers[0]["confidence"]?.doubleValue)
            let said = try #require(answers[0]["successProbability"]?.doubleValue)
            let mean = try #require(after["avgConfidence"]?.doubleValue)
            #expect(abs(mean - confidence) < 1e-6)
            // Five hours are more than the four that were planned.
            let score = try #require(after["brierScore"]?.doubleValue)
            #expect(abs(score - said * said) < 1e-6)
        }
    }

    private let known = TrainedModel.history

    private func model() async throws -> LoadedModel {
        let bytes = try await TrainedModel.artifact.value
        return LoadedModel(id: ModelID(), version: 1, kind: "test", forecast: try ForecastModel(decoding: bytes))
    }

    /// Sixty more bookings, each of which takes a multiple of its plan.
    private func later(taking factor: Double) -> [HistoryLine] {
        (0..<60).map { index in
            let decided = known.end.addingTimeInterval(Double(index) * 3_600)
            let planned = Double(2 + index % 20)
            return .allocation(
                Contracts.Allocation(
                    id: AllocationID(), externalId: "L\(index)", employeeId: known.employees[index % 6].id,
                    projectId: known.projects[index % 3].id, allocationPercentage: 50, allocatedHours: planned,
                    plannedHours: planned, actualHours: factor * planned, requiredSkills: ["SQL"], labels: [:],
                    startDate: CivilDate(decided), endDate: nil, completedAt: decided.addingTimeInterval(3_600),
                    createdAt: decided))
        }
    }

    private func history(_ lines: [HistoryLine]) -> History {
        var intake = TenantKnowledge.Intake()
        for line in lines { intake.take(line) }
        return intake.finish(HistoryEnd(watermark: "1", lines: lines.count)).history
    }

    /// What the model says of eight planned hours.
    private func chance(_ model: LoadedModel, _ history: History, at moment: Double) throws -> Double {
        let employee = try #require(history.allocations.last).employee
        return try #require(
            model.forecast.forecast(
                Decision(
                    employee: employee, project: known.projects[0].id.description, skills: ["SQL"],
                    plannedHours: 8, allocationPercent: 50, start: moment, at: moment), history: history,
                explaining: false
            ).successProbability)
    }

    @Test("a model's chances follow the outcomes that have become known since it was fitted, and only those")
    func follows() async throws {
        let model = try await model()
        let tenant = TenantID()
        let moment = known.end.addingTimeInterval(90 * 86_400).timeIntervalSince1970
        let unmoved = model.recalibrated(for: tenant, by: history(known.lines), at: moment)
        let after = history(known.lines + later(taking: 5))
        let moved = model.recalibrated(for: tenant, by: after, at: moment)
        let plain = try chance(model, after, at: moment)
        #expect(try chance(unmoved, after, at: moment) == plain)
        #expect(try chance(moved, after, at: moment) < 0.8 * plain)
        // As of a moment before the new outcomes nothing has moved, whatever was asked last.
        let past = model.recalibrated(for: tenant, by: after, at: known.end.timeIntervalSince1970)
        #expect(try chance(past, after, at: moment) == plain)
    }

    @Test("outcomes that are put right move chances at once, though there are as many as before and none is later")
    func putRight() async throws {
        let model = try await model()
        let tenant = TenantID()
        let moment = known.end.addingTimeInterval(90 * 86_400).timeIntervalSince1970
        let wrong = history(known.lines + later(taking: 5))
        let moved = model.recalibrated(for: tenant, by: wrong, at: moment)
        var right = wrong
        for var allocation in wrong.allocations where allocation.decidedAt >= known.end.timeIntervalSince1970 {
            allocation.actualHours = 0.9 * allocation.plannedHours
            right.apply(.allocation(allocation))
        }
        let again = model.recalibrated(for: tenant, by: right, at: moment)
        // As on a node that has never met the wrong ones.
        let elsewhere = try await self.model().recalibrated(for: tenant, by: right, at: moment)
        #expect(try chance(again, right, at: moment) == chance(elsewhere, right, at: moment))
        #expect(try chance(again, right, at: moment) > chance(moved, right, at: moment))
    }

    @Test("a model whose chances were moved goes from memory with the model that was loaded")
    func goes() async throws {
        weak var ready: ReadyModel?
        func ask() async throws {
            let model = try await model()
            let moment = known.end.addingTimeInterval(90 * 86_400).timeIntervalSince1970
            let after = history(known.lines + later(taking: 5))
            let moved = model.recalibrated(for: TenantID(), by: after, at: moment)
            #expect(try chance(moved, after, at: moment) != chance(model, after, at: moment))
            ready = model.ready
            #expect(ready != nil)
        }
        try await ask()
        #expect(ready == nil)
    }
}
