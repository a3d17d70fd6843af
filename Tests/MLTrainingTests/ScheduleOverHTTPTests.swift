import Contracts
import Foundation
import HTTPTypes
import Postgres
import TestSupport
import Testing

@testable import MLTraining

@Suite struct ScheduleOverHTTPTests {
    private static let path = "/api/v1/training/schedule"
    /// How long what must come is waited for: far longer than it takes on a slow machine.
    private static let patience = Duration.seconds(600)

    @Test("a schedule is set, read, changed under its tag and deleted")
    func lifecycle() async throws {
        try await TrainingService.with { service in
            #expect(try await service.send(.get, Self.path).status == .notFound)
            let set = try await service.send(.put, Self.path, #"{"everyDays": 30, "newOutcomes": 50, "seed": 5}"#)
            #expect(set.status == .ok && set.data?["months"]?.doubleValue == 6)
            #expect(set.data?["deployAutomatically"] == .bool(false) && set.data?["setBy"]?.stringValue == "user")
            let tag = try #require(set.headers[.eTag])
            let changed = try await service.send(
                .put, Self.path, #"{"newOutcomes": 20}"#, headers: [.ifMatch: tag])
            // What is left out has its default again.
            #expect(changed.status == .ok && changed.data?["everyDays"] == nil && changed.headers[.eTag] != tag)
            #expect(
                try await service.send(.put, Self.path, #"{"everyDays": 1}"#, headers: [.ifMatch: tag]).status
                    == .preconditionFailed)
            let read = try await service.send(.get, Self.path, actions: ["read"])
            #expect(read.data?["newOutcomes"]?.doubleValue == 20 && read.headers[.eTag] == changed.headers[.eTag])
            #expect(
                read.data?["state"]?["explanation"]?.stringValue == "Waits for 20 new outcomes (not counted yet).")
            // Another tenant has its own, or none.
            #expect(try await service.send(.get, Self.path, tenant: TenantID()).status == .notFound)
            #expect(
                try await service.send(.delete, Self.path, headers: [.ifMatch: tag]).status == .preconditionFailed)
            #expect(try await service.send(.delete, Self.path).status == .noContent)
            #expect(try await service.send(.delete, Self.path).status == .notFound)
            #expect(
                try await service.send(.put, Self.path, #"{"everyDays": 1}"#, headers: [.ifMatch: tag]).status
                    == .preconditionFailed)
        }
    }

    @Test("every bad field of a schedule is named, and a condition must be given")
    func validation() async throws {
        try await TrainingService.with { service in
            let bad = try await service.send(
                .put, Self.path, #"{"everyDays": 0, "newOutcomes": 0, "months": 300, "epochs": 1, "every": 3}"#)
            #expect(bad.status == .unprocessableContent)
            for field in ["everyDays", "newOutcomes", "months", "epochs", "every"] {
                #expect("\(bad.body)".contains("\"\(field)\""), "\(field)")
            }
            #expect(try await service.send(.put, Self.path, "{}").status == .unprocessableContent)
            for method in [HTTPRequest.Method.get, .put, .delete] {
                let status = try await service.send(
                    method, Self.path + "?now=1", method == .put ? #"{"everyDays": 1}"# : nil
                ).status
                #expect(status == .unprocessableContent, "\(method)")
            }
        }
    }

    @Test("without the permission to deploy a schedule may be set, but not one that deploys automatically")
    func permissions() async throws {
        try await TrainingService.with { service in
            let automatic = #"{"everyDays": 1, "deployAutomatically": true}"#
            let statuses = try await [
                service.send(.put, Self.path, automatic, actions: ["train", "read"]).status,
                service.send(.put, Self.path, #"{"everyDays": 1}"#, actions: ["train"]).status,
                service.send(.put, Self.path, automatic, actions: ["train", "deploy"]).status,
                service.send(.put, Self.path, automatic, actions: ["deploy"]).status,
                service.send(.get, Self.path, actions: ["train"]).status,
                service.send(.delete, Self.path, actions: ["deploy"]).status,
            ]
            #expect(statuses == [.forbidden, .ok, .ok, .forbidden, .forbidden, .forbidden])
        }
    }

    @Test(
        "a schedule leads to a deployed model unattended, and to the next when enough outcomes have come and its shadow is over"
    )
    func endToEnd() async throws {
        let history = SyntheticHistory(allocations: 700)
        let first = SyntheticHistory(allocations: 200)
        try await TrainingService.with(history: first, working: true) { service in
            let body = #"""
                {"newOutcomes": 40, "months": 240, "epochs": 10, "seed": 5, "deployAutomatically": true, "shadowDays": 1,
                 "shadowOutcomes": 20}
                """#
            #expect(try await service.send(.put, Self.path, body).status == .ok)
            try await deployments(1, service)
            // Some of what has happened since is told twice.
            service.admin.add(Array(history.lines.suffix(505)))
            try await shadow(service)
            try await deployments(2, service)

            let listed = try await service.send(.get, "/api/v1/models/deployments")
            guard case .array(let records)? = listed.data else {
                Issue.record("no deployments")
                return
            }
            #expect(records.count == 2 && records.allSatisfy { $0["reason"]?.stringValue == "schedule" })
            #expect(records.allSatisfy { $0["deployedBy"]?.stringValue == "schedule:user" })
            #expect(records[0]["replaces"] == records[1]["modelId"])
            let jobs = try await service.fixture.jobs.jobs(tenant: service.tenant, after: nil, limit: 9)
            #expect(jobs.count == 2 && jobs.allSatisfy { $0.origin == "schedule" && $0.status == .succeeded })
            let state = try await service.send(.get, Self.path).data?["state"]
            #expect(state?["deployment"] == records[0]["note"] && records[0]["note"] != nil, "\(state ?? .null)")
            #expect(state?["shadow"]?["state"] == .string("deployed"), "\(state ?? .null)")
        }
    }

    /// Version 2 answers beside version 1 until a day is over and its nodes report that it does better.
    private func shadow(_ service: TrainingService) async throws {
        let start = ContinuousClock.now
        var shadow: JSONValue?
        while shadow == nil {
            let state = try await service.send(.get, Self.path).data?["state"] ?? .null
            shadow = state["shadow"]
            try #require(ContinuousClock.now - start < Self.patience, "no shadow: \(state)")
            if shadow == nil { try await Task.sleep(for: .milliseconds(50)) }
        }
        let model = try #require(shadow?["modelId"]?.stringValue)
        #expect(shadow?["state"] == .string("running") && shadow?["version"] == .integer(2), "\(shadow ?? .null)")
        let tenant = service.tenant
        let serving = try await service.send(.get, "/internal/v1/tenants/\(tenant)/deployment", from: .mlPrediction)
        #expect(serving.data?["version"] == .integer(1) && serving.data?["shadow"]?["modelId"] == .string(model))

        func report() async throws -> String? {
            let figures = #"""
                {"figures": {"answers": 60, "outcomes": 40, "comparison": {"meanAbsoluteError": 2, "incumbentMeanAbsoluteError": 2.5,
                "meanDifference": -0.5, "low": -0.75, "high": -0.25, "isWorse": false}}}
                """#
            return try await service.send(
                .post, "/internal/v1/tenants/\(tenant)/shadows/\(model)", figures, from: .mlPrediction
            ).data?["state"]?.stringValue
        }
        #expect(try await report() == "running")
        _ = try await service.fixture.asSuperuser {
            try await $0.execute("UPDATE ml_training.shadows SET started_at = started_at - interval '1 day'")
        }
        // The schedule's own look may decide while the nodes report.
        let over = ContinuousClock.now
        var state = try await report()
        while state == "running", ContinuousClock.now - over < Self.patience {
            try await Task.sleep(for: .milliseconds(50))
            state = try await report()
        }
        // None where the schedule was first: a shadow that is over takes no figures.
        #expect(state == nil || state == "deployed")
        let read = try await service.send(.get, "/api/v1/models/\(model)")
        #expect(read.data?["status"] == .string("deployed") && read.data?["shadow"]?["state"] == .string("deployed"))
    }

    /// Waits until the tenant has had so many deployments.
    private func deployments(_ count: Int, _ service: TrainingService) async throws {
        let start = ContinuousClock.now
        while try await service.fixture.registry.deployments(tenant: service.tenant, limit: 9).count < count {
            let state = try await service.send(.get, Self.path).data?["state"] ?? .null
            if ContinuousClock.now - start >= Self.patience {
                var card: JSONValue?
                if case .array(let models)? = try await service.send(.get, "/api/v1/models").data,
                    let id = models.first?["id"]?.stringValue
                {
                    card = try await service.send(.get, "/api/v1/models/\(id)").data?["card"]
                }
                Issue.record("no deployment \(count): \(state) \(card ?? .null)")
                throw CancellationError()
            }
            try await Task.sleep(for: .milliseconds(50))
        }
    }
}
