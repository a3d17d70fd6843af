import Contracts
import Forecasting
import Foundation
import HistoryFeed
import Postgres
import ServiceKit
import ServiceStorage
import TestSupport
import Testing

@testable import MLTraining

/// A scheduled model answers beside the deployed one before it takes over.
@Suite struct ShadowTests {
    private let tenant = TenantID()

    private func setting(_ automatic: Bool = true) -> ScheduleSetting {
        ScheduleSetting(
            TrainingScheduleRequest(everyDays: 1, deployAutomatically: automatic, shadowDays: 10, shadowOutcomes: 20),
            by: "ada")
    }

    private func figures(_ outcomes: Int, difference: Double = -0.5) -> ShadowFigures {
        ShadowFigures(
            answers: outcomes + 10, outcomes: outcomes,
            comparison: ShadowComparison(
                meanAbsoluteError: 2.5 + difference, incumbentMeanAbsoluteError: 2.5, meanDifference: difference,
                low: difference - 0.25, high: difference + 0.25, isWorse: false))
    }

    private func register(_ automatic: AutomaticDeployment, _ fixture: TrainingDatabase) async throws -> ModelID {
        try await fixture.enqueue(tenant)
        let ticket = try #require(try await fixture.queue.claim(worker: "test", lease: fixture.lease))
        let dataset = try Dataset(name: "test", source: DatasetSource(months: 6, asOf: Date()))
        try await fixture.datasets.store(dataset, for: ticket)
        var model = TrainingDatabase.newModel(dataset: dataset.id, passedGates: true)
        model.automaticDeployment = automatic
        try await fixture.registry.register(model, for: ticket)
        return model.id
    }

    /// One that serves and one in its shadow.
    private func begin(_ fixture: TrainingDatabase) async throws -> (first: ModelID, second: ModelID) {
        _ = try await fixture.schedules.put(setting(), tenant: tenant)
        let first = try await register(.init(incumbent: nil, standing: .first), fixture)
        return (first, try await register(.init(incumbent: first, standing: .unknown(rows: 7)), fixture))
    }

    private func pass(days: Int, _ fixture: TrainingDatabase) async throws {
        _ = try await fixture.asSuperuser { connection in
            try await connection.execute(
                "UPDATE ml_training.shadows SET started_at = started_at - make_interval(days => \(days))")
        }
    }

    private func audited(_ fixture: TrainingDatabase) async throws -> [AuditNote] {
        try await fixture.database.withTenantRows(tenant) { connection in
            try await connection.query("SELECT note FROM audit_outbox ORDER BY number").map {
                try $0.decode("note", as: PostgresJSON<AuditNote>.self).value
            }
        }
    }

    @Test("a scheduled model answers in the shadow of the deployed one and takes over once it has proven itself")
    func takesOver() async throws {
        try await TrainingDatabase.with { fixture in
            let (first, second) = try await begin(fixture)
            let deployed = try #require(try await fixture.registry.deployed(tenant: tenant))
            #expect(deployed.modelId == first && deployed.shadow?.modelId == second)
            let stranger = try await fixture.registry.deployed(tenant: TenantID())
            #expect(stranger == nil)

            // Too early, however good.
            let early = try #require(try await fixture.shadows.take(figures(300), of: second, tenant: tenant))
            #expect(early.state == .running && early.figures?.outcomes == 300 && early.note.contains("until"))
            #expect(try await fixture.shadows.take(figures(300), of: second, tenant: TenantID()) == nil)
            try await pass(days: 10, fixture)
            let decided = try #require(try await fixture.shadows.take(figures(20), of: second, tenant: tenant))
            #expect(decided.state == .deployed && decided.figures?.comparison?.meanDifference == -0.5)
            #expect(try await fixture.registry.deployed(tenant: tenant)?.modelId == second)
            #expect(try await fixture.registry.deployed(tenant: tenant)?.shadow == nil)
            let record = try #require(try await fixture.registry.deployments(tenant: tenant, limit: 1).first)
            #expect(record.reason == "schedule" && record.deployedBy == "schedule:ada" && record.note == decided.note)
            #expect(try await fixture.schedules.schedule(tenant: tenant)?.shadow?.state == .deployed)
            let actions = try await audited(fixture).map(\.action)
            #expect(actions.filter { $0.hasSuffix("shadow") } == ["begin_shadow", "end_shadow"], "\(actions)")
            #expect(actions.count { $0 == "deploy" } == 2, "\(actions)")
            // It is rolled back like any other.
            #expect(try await fixture.registry.rollback(tenant: tenant, by: "u").model.id == first)
        }
    }

    @Test("a model that was no better on what came true stays out of service, with its figures in the audit log")
    func refused() async throws {
        try await TrainingDatabase.with { fixture in
            let (first, second) = try await begin(fixture)
            try await pass(days: 10, fixture)
            let decided = try await fixture.shadows.take(figures(20, difference: 0.25), of: second, tenant: tenant)
            #expect(decided?.state == .refused)
            #expect(try await fixture.registry.deployed(tenant: tenant)?.modelId == first)
            let note = try #require(try await audited(fixture).last)
            #expect(note.action == "end_shadow" && note.details["figures"]?["outcomes"] == .integer(20))
            // Once decided it stays so.
            #expect(try await fixture.shadows.take(figures(90), of: second, tenant: tenant) == nil)
        }
    }

    @Test("at the end it is decided even where ml-prediction reports nothing, by the scheduler's look")
    func overdue() async throws {
        try await TrainingDatabase.with { fixture in
            let (first, second) = try await begin(fixture)
            try await pass(days: 39, fixture)
            try await fixture.shadows.settle(tenant)
            #expect(try await fixture.shadows.shadow(of: second, tenant: tenant)?.state == .running)
            try await pass(days: 1, fixture)
            try await fixture.shadows.settle(tenant)
            // Neither at training nor since was there anything to compare.
            #expect(try await fixture.shadows.shadow(of: second, tenant: tenant)?.state == .refused)
            #expect(try await fixture.registry.deployed(tenant: tenant)?.modelId == first)
        }
    }

    @Test("a deployment by hand, an archived candidate and a schedule that no longer deploys end a shadow")
    func ended() async throws {
        try await TrainingDatabase.with { fixture in
            let (first, second) = try await begin(fixture)
            // Another candidate does not take its place.
            let third = try await register(.init(incumbent: first, standing: .unknown(rows: 8)), fixture)
            #expect(try await fixture.shadows.shadow(of: third, tenant: tenant) == nil)
            try await fixture.registry.deploy(third, tenant: tenant, force: false, by: "u")
            #expect(try await fixture.shadows.shadow(of: second, tenant: tenant)?.state == .ended)
            #expect(try await fixture.registry.deployed(tenant: tenant)?.shadow == nil)

            let fourth = try await register(.init(incumbent: third, standing: .unknown(rows: 8)), fixture)
            #expect(try await fixture.shadows.shadow(of: fourth, tenant: tenant)?.state == .running)
            _ = try await fixture.registry.archive(fourth, tenant: tenant)
            #expect(try await fixture.shadows.shadow(of: fourth, tenant: tenant)?.state == .ended)

            let fifth = try await register(.init(incumbent: third, standing: .unknown(rows: 8)), fixture)
            _ = try await fixture.schedules.put(setting(false), tenant: tenant)
            #expect(try await fixture.shadows.shadow(of: fifth, tenant: tenant)?.state == .ended)
        }
    }

    @Test("a purged tenant leaves no shadow behind")
    func purged() async throws {
        try await TrainingDatabase.with { fixture in
            let (_, second) = try await begin(fixture)
            try await fixture.database.withTenantRows(tenant) { connection in
                try await connection.setLocal(settings: ["erm.queue": "claim"])
                _ = try await TenantRows.remove(tenant, from: "ml_training", on: connection)
            }
            #expect(try await fixture.shadows.shadow(of: second, tenant: tenant) == nil)
        }
    }
}
