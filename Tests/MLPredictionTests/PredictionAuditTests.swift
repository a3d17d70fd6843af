import Contracts
import HTTPTypes
import Postgres
import ServiceStorage
import TestSupport
import Testing

@testable import MLPrediction

@Suite("What people do with predictions, in the tenant's audit log")
struct PredictionAuditTests {
    @Test("a decision, a rating and an outcome are noted with what differs, and without their comments")
    func noted() async throws {
        let history = TrainedModel.history
        let (person, project) = (history.employees[0].id, history.projects[0].id)
        try await PredictionsOverHTTP.with { service in
            let asked = try await service.send(
                .post, "/api/v1/predictions",
                #"{"employeeId": "\#(person)", "projectId": "\#(project)", "plannedHours": 12}"#)
            let id = try #require(asked.body["data"]?["predictionId"]?.stringValue)
            for (method, path, body) in [
                (HTTPRequest.Method.post, "decision", #"{"decision": "rejected", "reason": "Ada is ill."}"#),
                (.post, "decision", #"{"decision": "accepted"}"#),
                (.post, "feedback", #"{"score": 4, "comment": "Ada is quick."}"#),
                (.put, "actual", #"{"actualHours": 15}"#),
            ] {
                let answer = try await service.send(method, "/api/v1/predictions/\(id)/\(path)", body)
                #expect(answer.status == .ok, "\(path): \(answer.body)")
            }
            // What is refused leaves no note.
            let refused = try await service.send(
                .put, "/api/v1/predictions/\(id)/actual", #"{"actualHours": 16}"#, headers: [.ifMatch: "\"other\""])
            #expect(refused.status == .preconditionFailed)

            let notes = try await notes(service)
            #expect(notes.map(\.action) == ["decide", "decide", "rate", "record_actual"])
            #expect(notes.allSatisfy { $0.entity == "prediction" && $0.entityId == id && $0.actor == "user" })
            #expect(notes[0].details["before"] == .object(["decision": .null]))
            #expect(notes[0].details["after"] == .object(["decision": .string("rejected")]))
            #expect(notes[1].details["before"] == .object(["decision": .string("rejected")]))
            #expect(notes[1].details["after"] == .object(["decision": .string("accepted")]))
            #expect(notes[2].details["after"] == .object(["feedbackScore": .integer(4)]))
            #expect(notes[3].details["after"]?["actualHours"] != nil)
            #expect(!notes.contains { "\($0.details)".contains("Ada") })
        }
    }

    @Test("an export of the forecasts about a person is noted, and one that is refused is not")
    func exported() async throws {
        let person = TrainedModel.history.employees[0].id
        try await PredictionsOverHTTP.with { service in
            let refused = try await service.send(.get, "/api/v1/predictions/export?employeeId=nobody")
            #expect(refused.status == .unprocessableContent)
            #expect(try await notes(service).isEmpty)
            let answer = try await service.send(.get, "/api/v1/predictions/export?employeeId=\(person)")
            #expect(answer.status == .ok)
            let found = try await notes(service)
            #expect(found.map(\.action) == ["export"] && found.map(\.entity) == ["forecasts"])
            #expect(found.map(\.entityId) == [person.description] && found.map(\.actor) == ["user"])
        }
    }

    private func notes(_ service: PredictionsOverHTTP) async throws -> [AuditNote] {
        try await service.database.withTenantRows(service.tenant) { connection in
            try await connection.query("SELECT note FROM audit_outbox ORDER BY number").map {
                try $0.decode("note", as: PostgresJSON<AuditNote>.self).value
            }
        }
    }
}
