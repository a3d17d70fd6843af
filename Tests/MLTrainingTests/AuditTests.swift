import Contracts
import HTTPTypes
import ServiceKit
import ServiceStorage
import TestSupport
import Testing

@testable import MLTraining

@Suite("What ml-training has changed, in the tenant's audit log")
struct AuditTests {
    @Test("schedules, deployments, rollbacks and archivings are told to tenant-admin, each once and in their order")
    func notes() async throws {
        try await TrainingService.with { service in
            let (tenant, fixture) = (service.tenant, service.fixture)
            let schedule = "/api/v1/training/schedule"
            #expect(try await service.send(.put, schedule, #"{"everyDays": 30}"#).status == .ok)
            #expect(try await service.send(.put, schedule, #"{"newOutcomes": 20}"#).status == .ok)
            #expect(try await service.send(.delete, schedule).status == .noContent)
            let first = try await fixture.model(of: tenant, passedGates: true)
            let second = try await fixture.model(of: tenant, passedGates: false)
            #expect(try await service.send(.post, "/api/v1/models/\(first)/deploy").status == .ok)
            // What is refused changes nothing, nor does what is so already.
            #expect(try await service.send(.post, "/api/v1/models/\(second)/deploy").status == .conflict)
            #expect(try await service.send(.post, "/api/v1/models/\(first)/deploy").status == .ok)
            let forced = #"{"force": true, "note": "a trial"}"#
            #expect(try await service.send(.post, "/api/v1/models/\(second)/deploy", forced).status == .ok)
            #expect(try await service.send(.post, "/api/v1/models/rollback").status == .ok)
            let archived = try await service.send(.post, "/api/v1/models/\(second)/archive")

            try await service.audit.deliverDue()
            try await service.audit.deliverDue()

            let notes = service.admin.notes
            #expect(notes.map(\.action) == ["create", "update", "delete", "deploy", "deploy", "deploy", "archive"])
            #expect(
                notes.map(\.entity) == Array(repeating: "training_schedule", count: 3)
                    + Array(repeating: "model", count: 4))
            #expect(notes.map(\.entityId) == [nil, nil, nil] + [first, second, first, second].map(\.description))
            #expect(notes.allSatisfy { $0.actor == "user" })
            #expect(notes[0].details["after"]?["everyDays"] == .integer(30) && notes[0].details["before"] == nil)
            #expect(notes[1].details["before"] == .object(["everyDays": .integer(30), "newOutcomes": .null]))
            #expect(notes[1].details["after"] == .object(["everyDays": .null, "newOutcomes": .integer(20)]))
            #expect(notes[2].details["before"]?["newOutcomes"] == .integer(20) && notes[2].details["after"] == nil)
            #expect(notes[3].details["before"] == .object(["status": .string("validated")]))
            #expect(notes[3].details["after"] == .object(["status": .string("deployed")]))
            #expect(notes[4].details["forced"] == .bool(true) && notes[4].details["note"] == .string("a trial"))
            #expect(notes[5].details["reason"] == .string("rollback"))
            #expect(notes[5].details["replaces"] == .string("\(second)"))
            #expect(notes[6].details["before"] == .object(["status": .string("trained")]))
            #expect(notes[6].details["after"] == .object(["status": .string("archived")]))
            #expect(notes[6].requestId == archived.headers[.requestID])
        }
    }

    @Test("audit notes are kept and redelivered while tenant-admin is down")
    func outage() async throws {
        try await TrainingService.with { service in
            service.admin.setTakesNotes(false)
            #expect(try await service.send(.put, "/api/v1/training/schedule", #"{"everyDays": 30}"#).status == .ok)
            await #expect(throws: ProblemError.self) { try await service.audit.deliverDue() }
            #expect(service.admin.notes.isEmpty)
            service.admin.setTakesNotes(true)
            try await service.audit.deliverDue()
            #expect(service.admin.notes.map(\.action) == ["create"])
        }
    }

    @Test("a change that does not come about leaves no note")
    func rolledBack() async throws {
        try await TrainingService.with { service in
            let stale: HTTPFields = [.ifMatch: "\"other\""]
            let schedule = "/api/v1/training/schedule"
            #expect(
                try await service.send(.put, schedule, #"{"everyDays": 1}"#, headers: stale).status
                    == .preconditionFailed)
            let model = try await service.fixture.model(of: service.tenant, passedGates: true)
            for action in ["deploy", "archive"] {
                let answer = try await service.send(.post, "/api/v1/models/\(model)/\(action)", headers: stale)
                #expect(answer.status == .preconditionFailed)
            }
            try await service.audit.deliverDue()
            #expect(service.admin.notes.isEmpty)
        }
    }
}
