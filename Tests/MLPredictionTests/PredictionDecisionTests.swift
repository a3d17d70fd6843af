import Contracts
import Foundation
import HTTPTypes
import Synchronization
import TestSupport
import Testing

@testable import MLPrediction
@testable import ServiceKit

/// What people ask and decide around a prediction: what-if, decisions, lists and what is kept of an answer.
@Suite struct PredictionDecisionTests {
    private let history = TrainedModel.history
    private var employee: EmployeeID { history.employees[1].id }
    private var project: ProjectID { history.projects[0].id }
    private var question: String {
        #"{"employeeId": "\#(employee)", "projectId": "\#(project)", "plannedHours": 12, "requiredSkills": ["SQL"]}"#
    }

    /// The same as of a moment that is the same on the wire, so that asking again asks the same.
    private var fixed: String { String(question.dropLast()) + #", "asOf": "2026-06-01T12:00:00.000Z"}"# }

    private func predicted(_ service: PredictionsOverHTTP, _ body: String? = nil) async throws -> JSONValue {
        let answer = try await service.send(.post, "/api/v1/predictions", body ?? question)
        return try #require(answer.body["data"], "\(answer.body)")
    }

    @Test("an answer keeps its features by name and the digest of the model that gave it")
    func kept() async throws {
        try await PredictionsOverHTTP.with { service in
            let answer = try await predicted(service, fixed)
            let id = try #require(answer["predictionId"]?.stringValue)
            let digest = service.upstream.state.withLock { $0.deployments[service.tenant]?.artifactSha256 }
            #expect(answer["model"]?["artifactSha256"]?.stringValue == digest && digest != nil)
            let record = try await service.send(.get, "/api/v1/predictions/\(id)").body["data"]
            guard case .array(let features)? = record?["features"] else {
                Issue.record("no features: \(record ?? .null)")
                return
            }
            let values = Dictionary(
                features.map { ($0["name"]?.stringValue ?? "", $0["value"]?.doubleValue) },
                uniquingKeysWith: { a, _ in a })
            // log of the planned hours, as a single-precision number.
            #expect(values["plan"] == Double(Float(log(12.0))) && values.count == features.count && values[""] == nil)
            // A what-if of the same question from the same history is asked with the same numbers, and answers the same.
            let same = try await service.send(
                .post, "/api/v1/predictions/what-if", #"{"predictionId": "\#(id)"}"#)
            #expect(same.body["data"]?["answer"]?["features"] == record?["features"], "\(same.body)")
            #expect(same.body["data"]?["answer"]?["estimatedHours"] == answer["estimatedHours"])
            // Lists leave the features out.
            guard case .array(let list)? = try await service.send(.get, "/api/v1/predictions").body["data"] else {
                Issue.record("no list")
                return
            }
            #expect(list.count == 1 && (list[0]["features"] ?? .null) == .null)
        }
    }

    @Test("skills in another spelling are answered alike, also in a what-if; the log keeps them as they were sent")
    func spelling() async throws {
        try await PredictionsOverHTTP.with { service in
            let plain = try await predicted(service, fixed)
            let other = try await predicted(service, fixed.replacing(#"["SQL"]"#, with: #"["sql", "Sql "]"#))
            let id = try #require(other["predictionId"]?.stringValue)
            for field in ["estimatedHours", "intervals", "confidence", "explanation", "alternativeOptions"] {
                #expect(other[field] == plain[field], "\(field)")
            }
            let sent = JSONValue.array([.string("sql"), .string("Sql ")])
            let record = try await service.send(.get, "/api/v1/predictions/\(id)").body["data"]
            #expect(record?["request"]?["requiredSkills"] == sent)
            let whatIf = try await service.send(
                .post, "/api/v1/predictions/what-if", #"{"predictionId": "\#(id)"}"#)
            #expect(whatIf.body["data"]?["request"]?["requiredSkills"] == sent)
            #expect(whatIf.body["data"]?["answer"]?["estimatedHours"] == plain["estimatedHours"])
        }
    }

    @Test("a what-if changes any part of a question, names what it understood, and is logged nowhere")
    func whatIf() async throws {
        try await PredictionsOverHTTP.with { service in
            let base = try await predicted(service, fixed)
            let id = try #require(base["predictionId"]?.stringValue)
            let changed = try await service.send(
                .post, "/api/v1/predictions/what-if",
                #"{"predictionId": "\#(id)", "plannedHours": 40, "requiredSkills": null}"#)
            let data = try #require(changed.body["data"], "\(changed.body)")
            #expect(data["request"]?["plannedHours"]?.doubleValue == 40)
            #expect((data["request"]?["requiredSkills"] ?? .null) == .null)
            #expect(data["request"]?["employeeId"]?.stringValue == employee.description)
            #expect(data["unchanged"]?["estimatedHours"] == base["estimatedHours"])
            #expect(data["answer"]?["estimatedHours"] != base["estimatedHours"])
            #expect((data["answer"]?["predictionId"] ?? .null) == .null)
            let list = try await service.send(.get, "/api/v1/predictions")
            guard case .array(let logged)? = list.body["data"] else {
                Issue.record("no list")
                return
            }
            #expect(logged.count == 1)
            #expect(service.usage.take().map(\.predictions) == [1])

            let without = try await service.send(.post, "/api/v1/predictions/what-if", #"{"plannedHours": 4}"#)
            #expect(without.status == .unprocessableContent && "\(without.body)".contains("employeeId"))
            let foreign = try await service.send(
                .post, "/api/v1/predictions/what-if", #"{"predictionId": "\#(id)"}"#, tenant: TenantID())
            #expect(foreign.status == .unprocessableContent && "\(foreign.body)".contains("predictionId"))
            let disordered = try await service.send(
                .post, "/api/v1/predictions/what-if",
                #"{"employeeId": "\#(employee)", "projectId": "\#(project)", "startDate": "2026-02-02", "endDate": "2026-02-01"}"#
            )
            #expect(disordered.status == .unprocessableContent && "\(disordered.body)".contains("endDate"))
        }
    }

    @Test("a person who has left can be asked about in a what-if, which says so, and in no prediction")
    func notBookable() async throws {
        let gone = HistoryEmployee(
            id: EmployeeID(), externalId: "gone", name: "Gone", weeklyCapacityHours: 40, isActive: true,
            hiredOn: CivilDate(SyntheticHistory.start), leftOn: CivilDate(SyntheticHistory.start).adding(days: 30),
            skills: [])
        try await PredictionsOverHTTP.with(lines: [.employee(gone)] + history.lines) { service in
            let body = #"{"employeeId": "\#(gone.id)", "projectId": "\#(project)", "plannedHours": 12}"#
            let refused = try await service.send(.post, "/api/v1/predictions", body)
            #expect(refused.status == .unprocessableContent && "\(refused.body)".contains("has left"))
            let answered = try await service.send(.post, "/api/v1/predictions/what-if", body)
            #expect(answered.status == .ok, "\(answered.body)")
            guard case .array(let warnings)? = answered.body["data"]?["answer"]?["warnings"] else {
                Issue.record("no warnings: \(answered.body)")
                return
            }
            #expect(warnings.first?.stringValue?.hasPrefix("The person has left: ") == true)
        }
    }

    @Test("a decision is kept, replaced by a later one, and lists are narrowed by it and by the outcome")
    func decides() async throws {
        try await PredictionsOverHTTP.with { service in
            var ids: [String] = []
            for _ in 0..<4 {
                ids.append(try #require(try await predicted(service)["predictionId"]?.stringValue))
            }
            func decide(_ id: String, _ body: String) async throws -> (HTTPResponse.Status, JSONValue) {
                let answer = try await service.send(.post, "/api/v1/predictions/\(id)/decision", body)
                return (answer.status, answer.body)
            }
            let other = history.employees[3].id
            #expect(try await decide(ids[0], #"{"decision": "rejected"}"#).0 == .ok)
            let (status, record) = try await decide(ids[0], #"{"decision": "accepted", "reason": "Fits."}"#)
            #expect(status == .ok && record["data"]?["decision"]?["decision"]?.stringValue == "accepted")
            #expect(record["data"]?["decision"]?["reason"]?.stringValue == "Fits.")
            #expect(record["data"]?["decision"]?["decidedBy"]?.stringValue == "user")
            let instead = #"{"decision": "changed", "instead": {"employeeId": "\#(other)"}, "reason": "On leave."}"#
            #expect(try await decide(ids[1], instead).0 == .ok)
            #expect(try await decide(ids[2], #"{"decision": "rejected"}"#).0 == .ok)
            for (bad, field) in [
                (#"{"decision": "changed"}"#, "instead"), (#"{"decision": "changed", "instead": {}}"#, "instead"),
                (#"{"decision": "accepted", "instead": {"plannedHours": 3}}"#, "instead"),
                (#"{"decision": "perhaps"}"#, "decision"),
                (#"{"decision": "changed", "instead": {"employeeId": "\#(EmployeeID())"}}"#, "instead.employeeId"),
                (#"{"decision": "changed", "instead": {"projectId": "\#(ProjectID())"}}"#, "instead.projectId"),
            ] {
                let (status, body) = try await decide(ids[3], bad)
                #expect(status == .unprocessableContent && "\(body)".contains("\"\(field)\""), "\(bad): \(body)")
            }
            let foreign = try await service.send(
                .post, "/api/v1/predictions/\(ids[3])/decision", #"{"decision": "accepted"}"#, tenant: TenantID())
            #expect(foreign.status == .notFound)
            let actual = try await service.send(
                .put, "/api/v1/predictions/\(ids[0])/actual", #"{"actualHours": 15}"#)
            #expect(actual.status == .ok)

            func listed(_ query: String) async throws -> Set<String> {
                let answer = try await service.send(.get, "/api/v1/predictions?\(query)")
                guard case .array(let rows)? = answer.body["data"] else { return ["\(answer.body)"] }
                return Set(rows.compactMap { $0["id"]?.stringValue })
            }
            #expect(try await listed("decision=accepted") == [ids[0]])
            #expect(try await listed("decision=changed") == [ids[1]])
            #expect(try await listed("decision=rejected") == [ids[2]])
            #expect(try await listed("decision=open") == [ids[3]])
            #expect(try await listed("outcome=known") == [ids[0]])
            #expect(try await listed("outcome=unknown") == Set(ids.dropFirst()))
            #expect(try await listed("outcome=over_plan") == [ids[0]])
            #expect(try await listed("outcome=within_plan").isEmpty)
            #expect(try await listed("projectId=\(project)&decision=changed&outcome=unknown") == [ids[1]])
            #expect(try await listed("from=2999-01-01T00:00:00Z").isEmpty)
            // Later than `Date.distantFuture`.
            #expect(try await listed("from=9999-12-31T23:59:59Z").isEmpty)
            #expect(try await listed("to=0001-01-01T00:00:00Z").isEmpty)
            #expect(try await listed("to=2999-01-01T00:00:00Z") == Set(ids))
            #expect(try await service.send(.get, "/api/v1/predictions?decision=maybe").status == .unprocessableContent)
        }
    }

    @Test("the outcome of reassigned work belongs to the decision, never to the prediction")
    func overruled() async throws {
        let other = history.employees[3]
        let booked = Date().addingTimeInterval(-3_600)
        let booking = Allocation(
            id: AllocationID(), externalId: "new", employeeId: other.id, projectId: project, allocationPercentage: 50,
            allocatedHours: 12, plannedHours: 12, actualHours: 9, requiredSkills: [], labels: [:],
            startDate: CivilDate(booked), endDate: nil, completedAt: Date().addingTimeInterval(3_600), createdAt: booked
        )
        try await PredictionsOverHTTP.with { service in
            let (first, second) = (try await predicted(service), try await predicted(service))
            let third = try await predicted(service)
            let ids = try [first, second, third].map { try #require($0["predictionId"]?.stringValue) }
            let instead = #"{"decision": "changed", "instead": {"employeeId": "\#(other.id)"}}"#
            _ = try await service.send(.post, "/api/v1/predictions/\(ids[0])/decision", instead)
            _ = try await service.send(
                .post, "/api/v1/predictions/\(ids[1])/decision", #"{"decision": "accepted"}"#)
            _ = try await service.send(
                .post, "/api/v1/predictions/\(ids[2])/decision",
                #"{"decision": "changed", "instead": {"estimatedHours": 20}}"#)
            for (id, hours) in [(ids[1], 15), (ids[2], 20)] {
                let answer = try await service.send(
                    .put, "/api/v1/predictions/\(id)/actual", #"{"actualHours": \#(hours)}"#)
                #expect(answer.status == .ok)
            }
            service.upstream.state.withLock { $0.lines[service.tenant]?.append(.allocation(booking)) }
            let record = try #require(try await service.send(.get, "/api/v1/predictions/\(ids[0])").body["data"])
            #expect(record["decision"]?["actual"]?["actualHours"]?.doubleValue == 9, "\(record)")
            #expect((record["actual"] ?? .null) == .null)

            let metrics = try await service.send(.get, "/api/v1/metrics/decisions")
            guard case .array(let models)? = metrics.body["data"], models.count == 1 else {
                Issue.record("no metrics: \(metrics.body)")
                return
            }
            let found = models[0]
            #expect(found["predictions"] == .integer(3) && found["accepted"] == .integer(1))
            #expect(found["changed"] == .integer(2) && found["rejected"] == .integer(0))
            #expect(found["followed"]?["outcomes"] == .integer(1) && found["followed"]?["withinPlan"] == .integer(0))
            // Nine hours of twelve, and twenty of twelve.
            #expect(found["overruled"]?["outcomes"] == .integer(2) && found["overruled"]?["withinPlan"] == .integer(1))
            let ratio = try #require(found["overruled"]?["meanRatio"]?.doubleValue)
            #expect(abs(ratio - (9.0 / 12 * 20 / 12).squareRoot()) < 1e-9)
            // Only where the same person did the work are people's hours and the model's about the same thing.
            let estimated = try #require(third["estimatedHours"]?.doubleValue)
            #expect(
                found["estimates"]?["outcomes"] == .integer(1) && found["estimates"]?["peopleNearer"] == .integer(1))
            #expect(found["estimates"]?["peopleMeanAbsoluteError"]?.doubleValue == 0)
            let error = try #require(found["estimates"]?["modelMeanAbsoluteError"]?.doubleValue)
            #expect(abs(error - abs(20 - estimated)) < 1e-9)
            // The model's own accuracy counts the person's own outcomes alone.
            let days = try await service.send(.get, "/api/v1/metrics")
            guard case .array(let rows)? = days.body["data"], rows.count == 1 else {
                Issue.record("no days: \(days.body)")
                return
            }
            let judged = ["truePositives", "trueNegatives", "falsePositives", "falseNegatives"]
                .compactMap { rows[0][$0]?.doubleValue }.reduce(0, +)
            #expect(judged <= 2)
        }
    }

    @Test("a share comes with Wilson's interval")
    func interval() {
        let outcomes = DecisionOutcomes(outcomes: 10, withinPlan: 8, meanLogRatio: nil)
        // Wilson 1927 for 8 of 10 at 95 %: .490 to .943.
        #expect(abs((outcomes.withinPlanLow ?? 0) - 49.02) < 0.01 && abs((outcomes.withinPlanHigh ?? 0) - 94.33) < 0.01)
        let none = DecisionOutcomes(outcomes: 0, withinPlan: 0, meanLogRatio: nil)
        #expect(none.withinPlanPercent == nil && none.withinPlanLow == nil && none.meanRatio == nil)
    }
}
