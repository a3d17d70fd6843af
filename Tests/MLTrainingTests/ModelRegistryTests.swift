import Contracts
import Foundation
import Postgres
import ServiceStorage
import TestSupport
import Testing

@testable import MLTraining

@Suite struct ModelRegistryTests {
    @Test("models are numbered 1, 2, 3 … per tenant")
    func versions() async throws {
        try await TrainingDatabase.with { fixture in
            let (mine, other) = (TenantID(), TenantID())
            for _ in 0..<3 { _ = try await fixture.model(of: mine, passedGates: true) }
            _ = try await fixture.model(of: other, passedGates: true)
            #expect(
                try await fixture.registry.models(tenant: mine, status: nil, after: nil, limit: 9).map(\.version) == [
                    3, 2, 1,
                ])
            #expect(
                try await fixture.registry.models(tenant: other, status: nil, after: nil, limit: 9).map(\.version) == [
                    1
                ])
            let after = ModelPosition(version: 3)
            #expect(
                try await fixture.registry.models(tenant: mine, status: nil, after: after, limit: 1).map(\.version) == [
                    2
                ])
        }
    }

    @Test("what a model's gates have refused stands in the lists of models and of jobs, with the figures")
    func refusals() async throws {
        try await TrainingDatabase.with { fixture in
            let tenant = TenantID()
            let refusal = GateRefusal(refused: .chances, reason: "Brier score 0.300 where 0.200.")
            let models = [
                try await fixture.model(of: tenant, passedGates: true),
                try await fixture.model(of: tenant, passedGates: true, refusals: [refusal]),
            ]
            try await fixture.enqueue(tenant)
            let listed = try await fixture.registry.models(tenant: tenant, status: .validated, after: nil, limit: 9)
            #expect(listed.map(\.id) == models.reversed() && listed.map(\.refusals) == [[refusal], []])
            let jobs = try await fixture.jobs.jobs(tenant: tenant, after: nil, limit: 9)
            #expect(jobs.map(\.refusals) == [nil, [refusal], []])
            let job = try await fixture.jobs.job(jobs[1].id, tenant: tenant, progress: 0)
            #expect(job?.refusals == [refusal] && job?.modelId == models[1])
        }
    }

    @Test("what gates of earlier models refused is read from their figures: chances where a gate called itself passed")
    func earlierRefusals() async throws {
        try await TrainingDatabase.with { fixture in
            let tenant = TenantID()
            func gate(_ name: String, _ passed: Bool, _ explanation: String) -> JSONValue {
                .object(["name": .string(name), "passed": .bool(passed), "explanation": .string(explanation)])
            }
            func model(_ gates: JSONValue...) async throws {
                _ = try await fixture.model(
                    of: tenant, passedGates: true, metrics: .object(["gates": .array(gates)]))
            }
            try await model(gate("hours", true, "fine"), gate("success", true, "0.3: such chances are not given."))
            try await model(gate("hours", false, "worse"), gate("success", true, "0.1."))
            _ = try await fixture.model(of: tenant, passedGates: true)
            let migration = try String(
                contentsOfFile: ServiceDatabases.migrations("ml-training") + "/0027_refusals.sql", encoding: .utf8)
            func rows() async throws -> [String] {
                try await fixture.asSuperuser { connection in
                    try await connection.query("SELECT ctid::text FROM ml_training.models ORDER BY version").map {
                        try $0.decode("ctid")
                    }
                }
            }
            func refusals() async throws -> [[GateRefusal]?] {
                try await fixture.registry.models(tenant: tenant, status: nil, after: nil, limit: 9).map(\.refusals)
            }
            let before = try await rows()
            // As the service itself.
            try await fixture.database.withTransaction { connection in
                try await connection.execute("ALTER TABLE models DROP COLUMN refusals")
                try await connection.executeScript(migration)
            }
            // No row is written while the migration keeps readers out.
            #expect(try await rows() == before)
            #expect(try await refusals() == [nil, nil, nil])

            // A model a transaction.
            try await FormerRefusals(
                database: fixture.database, logger: PostgresCluster.quietLogger, atOnce: 1
            ).fill(tenant)

            #expect(
                try await refusals() == [
                    nil, [GateRefusal(refused: .model, reason: "worse")],
                    [GateRefusal(refused: .chances, reason: "0.3: such chances are not given.")],
                ])
        }
    }

    @Test("reading what gates of earlier models refused waits for no other transaction's model")
    func earlierRefusalsBesideOthers() async throws {
        try await TrainingDatabase.with { fixture in
            let tenant = TenantID()
            let gates: JSONValue = .object(["gates": .array([])])
            var models: [ModelID] = []
            for _ in 0..<2 {
                models.append(try await fixture.model(of: tenant, passedGates: true, metrics: gates))
            }
            try await fixture.asSuperuser { connection in
                _ = try await connection.execute("UPDATE ml_training.models SET refusals = NULL")
            }
            let former = FormerRefusals(database: fixture.database, logger: PostgresCluster.quietLogger)
            func filled() async throws -> [ModelID] {
                try await fixture.registry.models(tenant: tenant, status: nil, after: nil, limit: 9)
                    .filter { $0.refusals == [] }.map(\.id)
            }
            try await fixture.database.withTenantRows(tenant) { connection in
                _ = try await connection.query("SELECT FROM models WHERE id = \(models[1]) FOR UPDATE")
                try await former.fill(tenant)
                #expect(try await filled() == [models[0]])
            }
            try await former.fill(tenant)
            #expect(try await filled() == models.reversed())
        }
    }

    @Test("many deploys at the same time leave exactly one model deployed, and a history without a gap")
    func concurrentDeploys() async throws {
        try await TrainingDatabase.with { fixture in
            let tenant = TenantID()
            var models: [ModelID] = []
            for _ in 0..<6 { models.append(try await fixture.model(of: tenant, passedGates: true)) }
            let registry = fixture.registry
            try await withThrowingTaskGroup(of: Void.self) { group in
                for model in models {
                    group.addTask { _ = try await registry.deploy(model, tenant: tenant, force: false, by: "u") }
                }
                try await group.waitForAll()
            }
            let deployed = try await registry.models(tenant: tenant, status: .deployed, after: nil, limit: 9)
            let history = try await registry.deployments(tenant: tenant, limit: 9)
            #expect(deployed.count == 1)
            #expect(history.count == 6)
            #expect(history.first?.modelId == deployed.first?.id)
            // Each took over from the one before it.
            #expect(zip(history, history.dropFirst()).allSatisfy { $0.replaces == $1.modelId })
            #expect(history.last?.replaces == nil)
        }
    }

    @Test(
        "a new model, a deployment and a rollback reach the change feed under their tenant"
    )
    func changes() async throws {
        try await TrainingDatabase.with { fixture in
            let feed = ChangeFeed(
                pool: fixture.database.pool, schema: "ml_training", heartbeat: .zero,
                logger: PostgresCluster.quietLogger)
            let tenant = TenantID()
            let models = [
                try await fixture.model(of: tenant, passedGates: true),
                try await fixture.model(of: tenant, passedGates: true),
            ]
            var position = try await feed.news(after: nil).position
            func told() async throws -> Set<Change> {
                let news = try await feed.news(after: position)
                #expect(news.isContinuous)
                position = news.position
                return Set(news.changes)
            }
            _ = try await fixture.model(of: tenant, passedGates: true)
            #expect(try await told() == [Change(.deployment, of: tenant)])
            for model in models {
                _ = try await fixture.registry.deploy(model, tenant: tenant, force: false, by: "u")
                #expect(try await told() == [Change(.deployment, of: tenant)])
            }
            _ = try await fixture.registry.rollback(tenant: tenant, by: "u")
            #expect(try await told() == [Change(.deployment, of: tenant)])
            #expect(try await told().isEmpty)
        }
    }

    @Test("the database itself refuses a second deployed model")
    func uniqueIndex() async throws {
        try await TrainingDatabase.with { fixture in
            let tenant = TenantID()
            for _ in 0..<2 { _ = try await fixture.model(of: tenant, passedGates: true) }
            await #expect(throws: PostgresError.self) {
                try await fixture.database.withTenantRows(tenant) {
                    try await $0.execute("UPDATE models SET status = 'deployed'")
                }
            }
        }
    }

    @Test("a model that has not passed its gates needs force, and that is on record")
    func force() async throws {
        try await TrainingDatabase.with { fixture in
            let tenant = TenantID()
            let model = try await fixture.model(of: tenant, passedGates: false)
            await #expect(throws: DeploymentRefusal.notValidated) {
                _ = try await fixture.registry.deploy(model, tenant: tenant, force: false, by: "u")
            }
            #expect(try await fixture.registry.deployed(tenant: tenant) == nil)
            _ = try await fixture.registry.deploy(model, tenant: tenant, force: true, by: "u")
            let record = try #require(try await fixture.registry.deployments(tenant: tenant, limit: 1).first)
            #expect(record.forced && record.deployedBy == "u" && record.reason == "deploy")
        }
    }

    @Test("rolling back goes back one deployment at a time and ends with words")
    func rollback() async throws {
        try await TrainingDatabase.with { fixture in
            let tenant = TenantID()
            var models: [ModelID] = []
            for _ in 0..<3 {
                models.append(try await fixture.model(of: tenant, passedGates: true))
                _ = try await fixture.registry.deploy(models[models.count - 1], tenant: tenant, force: false, by: "u")
            }
            #expect(try await fixture.registry.rollback(tenant: tenant, by: "u").model.id == models[1])
            #expect(try await fixture.registry.rollback(tenant: tenant, by: "u").model.id == models[0])
            await #expect(throws: DeploymentRefusal.nothingToRollBackTo) {
                _ = try await fixture.registry.rollback(tenant: tenant, by: "u")
            }
            #expect(try await fixture.registry.model(models[2], tenant: tenant)?.status == .validated)
        }
    }

    @Test("rolling back past a model that was deployed twice comes to the beginning instead of going round")
    func rollbackOfAnAlternation() async throws {
        try await TrainingDatabase.with { fixture in
            let tenant = TenantID()
            let models = [
                try await fixture.model(of: tenant, passedGates: true),
                try await fixture.model(of: tenant, passedGates: true),
            ]
            for index in [0, 1, 0] {
                _ = try await fixture.registry.deploy(models[index], tenant: tenant, force: false, by: "u")
            }
            #expect(try await fixture.registry.rollback(tenant: tenant, by: "u").model.id == models[1])
            #expect(try await fixture.registry.rollback(tenant: tenant, by: "u").model.id == models[0])
            await #expect(throws: DeploymentRefusal.nothingToRollBackTo) {
                _ = try await fixture.registry.rollback(tenant: tenant, by: "u")
            }
            // What is deployed from there on can be taken back again.
            _ = try await fixture.registry.deploy(models[1], tenant: tenant, force: false, by: "u")
            #expect(try await fixture.registry.rollback(tenant: tenant, by: "u").model.id == models[0])
        }
    }

    @Test("the deployed model cannot be archived, and an archived one not deployed")
    func archive() async throws {
        try await TrainingDatabase.with { fixture in
            let tenant = TenantID()
            let (old, new) = (
                try await fixture.model(of: tenant, passedGates: true),
                try await fixture.model(of: tenant, passedGates: true)
            )
            _ = try await fixture.registry.deploy(new, tenant: tenant, force: false, by: "u")
            await #expect(throws: DeploymentRefusal.deployed) {
                _ = try await fixture.registry.archive(new, tenant: tenant)
            }
            #expect(try await fixture.registry.archive(old, tenant: tenant).status == .archived)
            await #expect(throws: DeploymentRefusal.archived) {
                _ = try await fixture.registry.deploy(old, tenant: tenant, force: true, by: "u")
            }
        }
    }

    @Test("an artefact of several pieces comes back byte for byte")
    func artifact() async throws {
        try await TrainingDatabase.with { fixture in
            let tenant = TenantID()
            let bytes = (0..<2_500_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
            let model = try await fixture.model(of: tenant, passedGates: true, artifact: bytes)
            #expect(try await fixture.registry.artifact(model, tenant: tenant)?.content == bytes)
        }
    }
}
