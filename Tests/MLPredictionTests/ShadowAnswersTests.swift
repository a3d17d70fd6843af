import Contracts
import Forecasting
import Foundation
import HistoryFeed
import Postgres
import ServiceKit
import ServiceStorage
import Synchronization
import TestSupport
import Testing

@testable import MLPrediction

/// The model that answers beside the deployed one.
@Suite struct ShadowAnswersTests {
    private struct Setup {
        let service: PredictionService
        let shadows: ShadowAnswers
        let registry: ScriptedModels
        let leftOut: Counter
        let tenant = TenantID()
        /// Of all questions: models read the time, so that the same asked a moment later may have another answer.
        let moment = Date()

        var caller: TenantCaller {
            TenantCaller(tenant: tenant, author: Author(name: "user", requestID: "r"), permissions: [])
        }

        func ask(_ count: Int, asOf: Date? = nil) async throws -> [Prediction] {
            let history = TrainedModel.history
            let requests = (0..<count).map { index in
                PredictionRequest(
                    employeeId: history.employees[index % history.employees.count].id,
                    projectId: history.projects[index % 3].id, plannedHours: Double(index + 1), asOf: asOf ?? moment)
            }
            return try await service.predict(requests, paths: requests.map { _ in "" }, for: caller, key: nil)
        }
    }

    private final class Counter: Sendable {
        private let count = Mutex(0)
        var value: Int { count.withLock { $0 } }
        func add(_ number: Int) { count.withLock { $0 += number } }
    }

    private func setup(
        _ fixture: PredictionDatabase, capacity: Int = 100, gate: ComputeGate = ComputeGate()
    ) async throws -> Setup {
        let registry = ScriptedModels()
        let (older, newer) = (try await TrainedModel.olderArtifact.value, try await TrainedModel.artifact.value)
        let candidate = registry.deploy(newer, version: 2)
        let deployed = registry.deploy(older, version: 1)
        let shadow = ShadowModel(
            modelId: candidate.modelId, version: 2, kind: "test", artifactSha256: candidate.artifactSha256,
            startedAt: Date())
        registry.state.withLock {
            $0.deployment = DeployedModel(
                modelId: deployed.modelId, version: 1, kind: "test", artifactSha256: deployed.artifactSha256,
                deployedAt: deployed.deployedAt, shadow: shadow)
        }
        let feed = ScriptedFeed(TrainedModel.history.lines)
        let mirrors = TenantMirrors(limits: .init(tenants: 10, rows: 1_000_000, bytes: 1 << 30)) { tenant in
            TenantMirror(tenant: tenant, source: feed, freshness: .init(fresh: .seconds(60), limit: .seconds(60)))
        }
        let models = DeployedModels(source: registry, patience: .seconds(600))
        let leftOut = Counter()
        let shadows = ShadowAnswers(
            models: models, mirrors: mirrors, database: fixture.database, gate: gate, capacity: capacity,
            leftOut: { leftOut.add($0) }, logger: PostgresCluster.quietLogger)
        return Setup(
            service: PredictionService(
                models: models, mirrors: mirrors, log: fixture.log,
                featureNames: FeatureNames(database: fixture.database),
                shadows: shadows), shadows: shadows, registry: registry, leftOut: leftOut)
    }

    @Test("both models answer the same questions, the deployed one's answers count, and the other's stand beside them")
    func besides() async throws {
        try await PredictionDatabase.with { fixture in
            let setup = try await setup(fixture)
            let answers = try await setup.ask(5)
            let deployment = try #require(setup.registry.state.withLock { $0.deployment })
            #expect(answers.allSatisfy { $0.model.id == deployment.modelId })
            #expect(try await fixture.log.record(answers[0].predictionId, tenant: setup.tenant)?.record.shadow == nil)
            #expect(await setup.shadows.answerSome())
            #expect(await !setup.shadows.answerSome())
            let record = try #require(try await fixture.log.record(answers[2].predictionId, tenant: setup.tenant))
                .record
            let shadow = try #require(record.shadow)
            #expect(shadow.modelId == deployment.shadow?.modelId && shadow.estimatedHours > 0)
            #expect(shadow.successProbability != nil && record.prediction.estimatedHours == answers[2].estimatedHours)
            // Of another tenant nothing is seen.
            #expect(try await fixture.log.record(answers[2].predictionId, tenant: TenantID()) == nil)
            let forecasts = try await PersonForecasts(database: fixture.database).forecasts(
                .init(employee: record.request.employeeId, from: nil, to: nil), after: nil, tenant: setup.tenant)
            // The employee may be an alternative of the other questions too, where no shadow is shown.
            let forecast = try #require(forecasts.first { $0.shadow == shadow })
            #expect(forecast.role == .asked && forecast.csv.contains("\(shadow.modelId)"))
        }
    }

    @Test("the candidate's answer is the one that it would have given in service")
    func sameAnswer() async throws {
        try await PredictionDatabase.with { fixture in
            let setup = try await setup(fixture)
            let asked = try await setup.ask(6)
            #expect(await setup.shadows.answerSome())
            let shadow = try #require(setup.registry.state.withLock { $0.deployment?.shadow })
            setup.registry.state.withLock {
                $0.deployment = DeployedModel(
                    modelId: shadow.modelId, version: 2, kind: "test", artifactSha256: shadow.artifactSha256,
                    deployedAt: Date())
            }
            try await setup.service.models.modelNow(of: setup.tenant)
            for (before, after) in zip(asked, try await setup.ask(6)) {
                #expect(after.model.id == shadow.modelId)
                let second = try await fixture.log.record(before.predictionId, tenant: setup.tenant)?.record.shadow
                #expect(second?.estimatedHours == after.estimatedHours && second?.confidence == after.confidence)
                #expect(second?.successProbability == after.successProbability && second?.interval == after.interval)
            }
        }
    }

    @Test("a full queue, a missing candidate and a question about the past leave answers out, and no request fails")
    func leftOut() async throws {
        try await PredictionDatabase.with { fixture in
            let setup = try await setup(fixture, capacity: 3)
            #expect(try await setup.ask(5).count == 5)
            #expect(setup.leftOut.value == 2)
            setup.registry.state.withLock { $0.areArtifactsDown = true }
            #expect(await setup.shadows.answerSome())
            #expect(setup.leftOut.value == 5)
            setup.registry.state.withLock { $0.areArtifactsDown = false }
            // The candidate was fitted to what came of this, so that it would prove nothing.
            let past = try await setup.ask(1, asOf: TrainedModel.history.end.addingTimeInterval(-86_400))
            #expect(await setup.shadows.answerSome())
            #expect(try await fixture.log.record(past[0].predictionId, tenant: setup.tenant)?.record.shadow == nil)
        }
    }

    @Test("a model in the shadow is moved by the latest outcomes when it is its turn")
    func turn() async throws {
        try await PredictionDatabase.with { fixture in
            let gate = ComputeGate(atOnce: 1)
            let setup = try await setup(fixture, gate: gate)
            let asked = try await setup.ask(1)
            let answered = await gate.pass {
                let answered = Task { await setup.shadows.answerSome() }
                while gate.waiting == 0 { await Task.yield() }
                return answered
            }
            #expect(await answered.value)
            #expect(try await fixture.log.record(asked[0].predictionId, tenant: setup.tenant)?.record.shadow != nil)
        }
    }

    @Test("figures compare both models on tasks whose outcome is known, each task once")
    func compared() async throws {
        try await PredictionDatabase.with { fixture in
            let setup = try await setup(fixture)
            let answers = try await setup.ask(40) + (try await setup.ask(10))
            #expect(await setup.shadows.answerSome())
            let shadow = try #require(setup.registry.state.withLock { $0.deployment?.shadow?.modelId })
            let incumbent = try #require(answers[0].model.id)
            let figures = PostgresShadowFigures(database: fixture.database)
            let open = try await figures.figures(of: shadow, beside: incumbent, tenant: setup.tenant)
            #expect(open == ShadowFigures(answers: 50, outcomes: 0, comparison: nil))
            // What the candidate said comes true, of chances as much as the other one, for work asked about twice the same.
            try await fixture.database.withTenantRows(setup.tenant) { connection in
                _ = try await connection.execute(
                    """
                    UPDATE predictions p SET estimated_hours = 2 * estimated_hours,
                        success_probability = (s.answer ->> 'successProbability')::double precision,
                        actual_hours = (s.answer ->> 'estimatedHours')::double precision,
                        actual_result = jsonb_build_object('actualHours', s.answer -> 'estimatedHours', 'completedAt',
                            '2026-06-15T12:00:' || lpad(planned_hours::integer::text, 2, '0') || '.000Z')
                    FROM shadow_answers s WHERE s.prediction_id = p.id
                    """)
            }
            let known = try await figures.figures(of: shadow, beside: incumbent, tenant: setup.tenant)
            #expect(known.answers == 50 && known.outcomes == 40)
            let comparison = try #require(known.comparison)
            #expect(comparison.meanAbsoluteError < 1e-9 && comparison.incumbentMeanAbsoluteError > 0)
            #expect(comparison.favoursNew && comparison.high <= 0)
            let stranger = try await figures.figures(of: shadow, beside: incumbent, tenant: TenantID())
            #expect(stranger.answers == 0)
            // Questions about the past were asked when their work may have been finished.
            try await fixture.database.withTenantRows(setup.tenant) { connection in
                _ = try await connection.execute(
                    """
                    UPDATE predictions SET prediction_result = jsonb_set(prediction_result, '{asOf}',
                        to_jsonb('2026-01-01T00:00:00.000Z'::text)) WHERE planned_hours > 10
                    """)
            }
            let present = try await figures.figures(of: shadow, beside: incumbent, tenant: setup.tenant)
            #expect(present.answers == 20 && present.outcomes == 10)
        }
    }

    @Test("a candidate that is better on short work alone does not win because short work ends first")
    func shortWorkFirst() async throws {
        try await PredictionDatabase.with { fixture in
            let setup = try await setup(fixture)
            let answers = try await setup.ask(40)
            #expect(await setup.shadows.answerSome())
            let shadow = try #require(setup.registry.state.withLock { $0.deployment?.shadow?.modelId })
            let incumbent = try #require(answers[0].model.id)
            // One question a day: every other is about an hour's work, the rest about that of thirty days, of which five are finished.
            try await fixture.database.withTenantRows(setup.tenant) { connection in
                _ = try await connection.execute(
                    """
                    UPDATE predictions p SET created_at = now() - age * interval '1 day', success_probability = NULL,
                        estimated_hours = CASE WHEN age % 2 = 0 THEN 12 ELSE 103 END,
                        actual_hours = CASE WHEN age % 2 = 0 THEN 10 WHEN age > 30 THEN 100 END,
                        actual_result = CASE WHEN age % 2 = 0 OR age > 30 THEN jsonb_build_object('actualHours', 1,
                            'completedAt', now() - age * interval '1 day'
                                + CASE WHEN age % 2 = 0 THEN interval '1 hour' ELSE interval '30 days' END) END
                    FROM (SELECT id, row_number() OVER (ORDER BY id)::integer AS age FROM predictions) n
                    WHERE n.id = p.id
                    """)
                _ = try await connection.execute(
                    """
                    UPDATE shadow_answers s SET answer = jsonb_set(s.answer, '{estimatedHours}',
                        to_jsonb(CASE WHEN p.estimated_hours = 12 THEN 11 ELSE 106 END))
                    FROM predictions p WHERE p.id = s.prediction_id
                    """)
            }
            let figures = PostgresShadowFigures(database: fixture.database)
            let found = try await figures.figures(of: shadow, beside: incumbent, tenant: setup.tenant)
            #expect(found.outcomes == 25)
            // An hour nearer on 20 short tasks, three hours farther on 5 long ones, each of which counts for four.
            let comparison = try #require(found.comparison)
            #expect(comparison.meanDifference > 0.5 && !comparison.favoursNew)
        }
    }
}
