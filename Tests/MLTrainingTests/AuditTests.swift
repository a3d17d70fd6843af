import Contracts
import HTTPTypes
import Postgres
import ServiceKit
import ServiceStorage
import TestSupport
import Testing

@testable import MLTraining

@Suite("What ml-training has changed, in the tenant's audit log")
struct AuditTests {
    @Test("schedules, deployments, rollbacks and archivings reach the audit log once and in order")
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

            // The models came from jobs.
            let notes = service.admin.notes.filter { $0.entity != "training_job" }
            #expect(
                notes.map(\.action) == [
                    "create", "update", "delete", "deploy", "deploy", "replace", "deploy", "replace", "archive",
                ])
            #expect(
                notes.map(\.entity) == Array(repeating: "training_schedule", count: 3)
                    + Array(repeating: "model", count: 6))
            #expect(
                notes.map(\.entityId)
                    == [nil, nil, nil] + [first, second, first, first, second, second].map(\.description))
            #expect(notes.allSatisfy { $0.actor == "user" })
            #expect(notes[0].details["after"]?["everyDays"] == .integer(30) && notes[0].details["before"] == nil)
            #expect(notes[1].details["before"] == .object(["everyDays": .integer(30), "newOutcomes": .null]))
            #expect(notes[1].details["after"] == .object(["everyDays": .null, "newOutcomes": .integer(20)]))
            #expect(notes[2].details["before"]?["newOutcomes"] == .integer(20) && notes[2].details["after"] == nil)
            #expect(notes[3].details["before"] == .object(["status": .string("validated")]))
            #expect(notes[3].details["after"] == .object(["status": .string("deployed")]))
            #expect(notes[4].details["forced"] == .bool(true) && notes[4].details["note"] == .string("a trial"))
            #expect(notes[5].details["before"] == .object(["status": .string("deployed")]))
            #expect(notes[5].details["after"] == .object(["status": .string("validated")]))
            #expect(notes[5].details["replacedBy"] == .string("\(second)"))
            #expect(notes[6].details["reason"] == .string("rollback"))
            #expect(notes[6].details["replaces"] == .string("\(second)"))
            #expect(notes[8].details["before"] == .object(["status": .string("trained")]))
            #expect(notes[8].details["after"] == .object(["status": .string("archived")]))
            #expect(notes[8].requestId == archived.headers[.requestID])
        }
    }

    @Test("a job and a back-test are told when they are queued and when they are cancelled, each once")
    func jobs() async throws {
        try await TrainingService.with { service in
            let key: HTTPFields = [.idempotencyKey: "once"]
            for _ in 1...2 {
                let started = try await service.send(
                    .post, "/api/v1/training/jobs", #"{"months": 3, "seed": 7}"#, headers: key)
                #expect(started.status == .accepted)
            }
            let job = try #require(
                try await service.fixture.jobs.jobs(tenant: service.tenant, after: nil, limit: 9).first)
            for status in [HTTPResponse.Status.accepted, .conflict] {
                #expect(try await service.send(.delete, "/api/v1/training/jobs/\(job.id)").status == status)
            }
            let backtest = try await service.send(.post, "/api/v1/backtests", #"{"from": "2024-01-01T00:00:00.000Z"}"#)
            #expect(backtest.status == .accepted)

            try await service.audit.deliverDue()

            let notes = service.admin.notes
            #expect(notes.map(\.action) == ["create", "cancel", "create"])
            #expect(notes.map(\.entity) == ["training_job", "training_job", "backtest"])
            #expect(notes.prefix(2).allSatisfy { $0.entityId == "\(job.id)" })
            #expect(notes[0].details["after"]?["months"] == .integer(3))
            #expect(notes[1].details["before"] == .object(["status": .string("queued")]))
            #expect(notes.allSatisfy { $0.actor == "user" && $0.requestId != nil })
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

    @Test("a tenant whose notes are refused, however many, keeps no other tenant's notes waiting")
    func refusedTenant() async throws {
        try await TrainingService.with { service in
            let (stuck, other) = (service.tenant, TenantID())
            let many = (0..<40).map { "stuck \($0)" }
            try await service.record(many, of: stuck)
            try await service.record(["other"], of: other)
            service.admin.refuseNotes(of: [stuck])

            for _ in 0..<2 {
                await #expect(throws: ProblemError.self) { try await service.audit.deliverDue() }
            }
            #expect(service.admin.notes.compactMap(\.entityId) == ["other"])

            service.admin.refuseNotes(of: [])
            try await service.audit.deliverDue()
            #expect(service.admin.notes.compactMap(\.entityId) == ["other"] + many)
        }
    }

    @Test("a note that tenant-admin refuses is kept and reported, and the tenant's other notes go on without it")
    func refusedNote() async throws {
        try await TrainingService.with { service in
            try await service.record(["one", "bad", "two", "worse", "three"], of: service.tenant)
            service.admin.refuseNotes(about: ["bad", "worse"])

            try await service.audit.deliverDue()

            #expect(service.admin.notes.compactMap(\.entityId) == ["one", "two", "three"])
            #expect(try await service.audit.backlog().count == 2)

            // An hour later another release takes them.
            service.admin.refuseNotes(about: [])
            try await service.fixture.database.withTransaction { connection in
                _ = try await connection.query("SELECT set_config('erm.queue', 'audit', true)")
                try await connection.execute("UPDATE audit_outbox SET next_attempt_at = now()")
            }
            try await service.audit.deliverDue()
            #expect(service.admin.notes.compactMap(\.entityId) == ["one", "two", "three", "bad", "worse"])
            #expect(try await service.audit.backlog().count == 0)
        }
    }

    @Test("a tenant whose notes are not answered keeps no other's waiting, and its own come in their order")
    func heldTenant() async throws {
        try await TrainingService.with { service in
            let (slow, other) = (service.tenant, TenantID())
            let many = (0..<40).map { "slow \($0)" }
            try await service.record(many, of: slow)
            try await service.record(["one", "two"], of: other)
            service.admin.holdNotes(of: [slow])
            let delivery = Task { try await service.audit.deliverDue() }

            try await waitUntil("the other tenant's notes have come") { service.admin.notes.count == 2 }
            service.admin.holdNotes(of: [])
            // Where the machine has stood still for so long that an answer was given up, the next delivery brings the rest.
            _ = await delivery.result
            try await service.audit.deliverDue()

            let ids = service.admin.notes.compactMap(\.entityId)
            #expect(Array(ids.prefix(2)) == ["one", "two"])
            var seen: Set<String> = []
            #expect(ids.dropFirst(2).filter { seen.insert($0).inserted } == many)
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
            #expect(service.admin.notes.map(\.entity) == ["training_job"])
        }
    }
}

extension TrainingService {
    /// Leaves a note of each on its way to the audit log.
    fileprivate func record(_ ids: some Sequence<String>, of tenant: TenantID) async throws {
        for id in ids {
            try await fixture.database.withTenantRows(tenant) { connection in
                try await AuditOutbox.record(
                    AuditNote("create", "model", id, by: "user", requestId: "r"), of: tenant, on: connection)
            }
        }
    }
}
