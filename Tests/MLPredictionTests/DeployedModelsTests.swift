import Contracts
import Forecasting
import Foundation
import HTTPTypes
import ServiceKit
import Synchronization
import TestSupport
import Testing

@testable import MLPrediction

@Suite struct DeployedModelsTests {
    let clock = ManualClock()
    let source = ScriptedModels()

    private var models: DeployedModels { DeployedModels(source: source, patience: .seconds(600), now: clock.now) }

    @Test("which model is deployed is asked again after half a second, its artefact not")
    func caching() async throws {
        let bytes = try await TrainedModel.artifact.value
        let first = source.deploy(bytes)
        let (models, tenant) = (models, TenantID())
        #expect(try await models.model(of: tenant).id == first.modelId)
        let second = source.deploy(bytes, version: 2)
        #expect(try await models.model(of: tenant).id == first.modelId)
        clock.advance(by: .milliseconds(501))
        #expect(try await models.model(of: tenant).id == second.modelId)
        #expect(source.state.withLock { $0.artifactQuestions } == 1)
    }

    @Test("a tenant's model leaves the memory with the tenant, unless it is another's, too")
    func forgotten() async throws {
        _ = source.deploy(try await TrainedModel.artifact.value)
        let (models, gone, other) = (models, TenantID(), TenantID())
        func questions() -> Int { source.state.withLock { $0.artifactQuestions } }
        _ = try await models.model(of: gone)
        _ = try await models.model(of: other)
        models.forget(gone)
        _ = try await models.model(of: other)
        #expect(questions() == 1)
        models.forget(other)
        _ = try await models.model(of: other)
        #expect(questions() == 2)
    }

    @Test("a question about the past is answered by the model of that time, where the present one knows too much")
    func past() async throws {
        let bytes = try await TrainedModel.artifact.value
        let old = source.deploy(bytes)
        let present = source.deploy(bytes, version: 2)
        let (models, tenant) = (models, TenantID())
        let loaded = try await models.model(of: tenant)
        let learned = Date(timeIntervalSince1970: loaded.forecast.learnedUntil)
        // Fitted before the moment: nobody is asked.
        #expect(try await models.model(of: tenant, asOf: learned, present: loaded).id == present.modelId)
        #expect(source.state.withLock { $0.questionsOfThePast } == 0)
        // None was deployed then, or one that knows too much as well: the present one, which says so.
        let early = learned.addingTimeInterval(-86_400)
        #expect(try await models.model(of: tenant, asOf: early, present: loaded).id == present.modelId)
        source.state.withLock { $0.former = old }
        #expect(try await models.model(of: tenant, asOf: early, present: loaded).id == present.modelId)
        #expect(!loaded.isFittedBefore(early))

        let older = try await TrainedModel.olderArtifact.value
        let former = source.deploy(older, version: 0)
        source.state.withLock { $0.former = former }
        let answering = try await models.model(of: tenant, asOf: early, present: loaded)
        #expect(answering.id == former.modelId && answering.isFittedBefore(early))
    }

    @Test("many questions about the past cost one question to ml-training for each model of that time")
    func pastOfMany() async throws {
        _ = source.deploy(try await TrainedModel.artifact.value, version: 2)
        let models = DeployedModels(
            source: source, news: { _, _ in .unchanged }, patience: .seconds(600), now: clock.now)
        let tenant = TenantID()
        let loaded = try await models.model(of: tenant)
        let early = Date(timeIntervalSince1970: loaded.forecast.learnedUntil - 86_400)
        let former = source.deploy(
            try await TrainedModel.olderArtifact.value, version: 1, deployedAt: early.addingTimeInterval(-86_400))
        source.state.withLock { $0.former = former }
        let moments = [-7_200, 0, -3_600, 0].map { early.addingTimeInterval($0) }

        let answering = try await models.models(of: tenant, asOf: moments, present: loaded)

        #expect(answering.map(\.id) == moments.map { _ in former.modelId })
        #expect(source.state.withLock { $0.questionsOfThePast } == 1)
        // A later moment may be another model's.
        _ = try await models.model(of: tenant, asOf: early.addingTimeInterval(60), present: loaded)
        #expect(source.state.withLock { $0.questionsOfThePast } == 2)
    }

    @Test("that no model was deployed at a past moment is remembered only while the change feed is up")
    func pastWithoutModel() async throws {
        for (news, questions) in [(TenantNews.Since.unchanged, 1), (.unknown, 2), (.changed, 2)] {
            let source = ScriptedModels()
            let past = PastDeployments(source: source, news: { _, _ in news }, now: clock.now)
            let (tenant, moment) = (TenantID(), Date())
            for seconds in [0.0, -60] {
                #expect(try await past.deployment(of: tenant, at: moment.addingTimeInterval(seconds)) == nil)
            }
            #expect(source.state.withLock { $0.questionsOfThePast } == questions)
        }
    }

    @Test("without a deployed model the baseline answers, and the first deployment is noticed at once")
    func none() async throws {
        let (models, tenant) = (models, TenantID())
        let baseline = try await models.model(of: tenant)
        #expect(baseline.isBaseline && baseline.description == PredictionModel(id: nil, version: 0, kind: "baseline"))
        _ = source.deploy(try await TrainedModel.artifact.value)
        #expect(try await models.model(of: tenant).version == 1)
    }

    @Test("while ml-training does not answer the model in memory answers, marked as unconfirmed")
    func answersAlone() async throws {
        let bytes = try await TrainedModel.artifact.value
        let deployed = source.deploy(bytes)
        let (models, tenant) = (models, TenantID())
        #expect(try await models.model(of: tenant).isConfirmed)
        source.state.withLock { $0.isDown = true }
        clock.advance(by: .milliseconds(501))
        let alone = try await models.model(of: tenant)
        #expect(alone.id == deployed.modelId && !alone.isConfirmed)
        // It is not asked again by every request.
        let asked = source.state.withLock { $0.deploymentQuestions }
        _ = try await models.model(of: tenant)
        #expect(source.state.withLock { $0.deploymentQuestions } == asked)
        // Nobody's model is anybody else's.
        let error = await #expect(throws: ProblemError.self) { _ = try await models.model(of: TenantID()) }
        #expect(error?.status.code == 503)

        source.state.withLock { $0.isDown = false }
        let next = source.deploy(bytes, version: 2)
        clock.advance(by: .milliseconds(501))
        let confirmed = try await models.model(of: tenant)
        #expect(confirmed.id == next.modelId && confirmed.isConfirmed)
    }

    @Test("decoded models that take more bytes than there may be make room, the least recently used first")
    func memory() async throws {
        let artifacts = [try await TrainedModel.artifact.value, try await TrainedModel.olderArtifact.value]
        let models = DeployedModels(
            source: source, staleAfter: .zero, limits: .init(bytes: 1), patience: .seconds(600), now: clock.now)
        let tenant = TenantID()
        for round in 0..<4 {
            let deployed = source.deploy(artifacts[round % 2], version: round)
            clock.advance(by: .milliseconds(1))
            #expect(try await models.modelNow(of: tenant).id == deployed.modelId)
            // The one in use stays.
            _ = try await models.model(of: tenant)
            #expect(source.state.withLock { $0.artifactQuestions } == round + 1)
        }
    }

    @Test("an artefact with other bytes than its digest says is refused; without one before it the baseline answers")
    func damaged() async throws {
        var bytes = try await TrainedModel.artifact.value
        let model = source.deploy(bytes)
        bytes[bytes.count / 2] ^= 1
        let forged = bytes
        source.state.withLock { $0.artifacts[model.modelId] = forged }
        let answering = try await models.model(of: TenantID())
        #expect(answering.isBaseline && answering.refused?.model == model.modelId && answering.refused?.version == 1)
        #expect(answering.refused?.refusal == .damaged)
    }

    /// An artefact that can be read, and whose numbers are none: its digest is that of its bytes.
    private func broken() async throws -> [UInt8] {
        let bytes = try await TrainedModel.artifact.value
        for place in stride(from: 64, to: bytes.count - 8, by: 97) {
            let damaged = Self.withoutNumber(at: place, bytes)
            if let model = try? ForecastModel(decoding: damaged), ModelSelfTest.fault(of: ReadyModel(model)) != nil {
                return damaged
            }
        }
        throw CancellationError()
    }

    private static func withoutNumber(at place: Int, _ bytes: [UInt8]) -> [UInt8] {
        var damaged = bytes
        damaged.replaceSubrange(
            place..<place + 8, with: withUnsafeBytes(of: Double.nan.bitPattern.littleEndian) { Array($0) })
        return damaged
    }

    @Test("wherever a model has no number, it is judged and the node goes on")
    func anywhere() async throws {
        let bytes = try await TrainedModel.artifact.value
        var judged = 0
        for place in stride(from: 64, to: bytes.count - 8, by: bytes.count / 150 | 1) {
            guard let model = try? ForecastModel(decoding: Self.withoutNumber(at: place, bytes)) else { continue }
            _ = ModelSelfTest.fault(of: ReadyModel(model))
            judged += 1
        }
        #expect(judged > 0)
    }

    @Test("a sound model passes its self-test")
    func sound() async throws {
        for artifact in [TrainedModel.artifact, TrainedModel.olderArtifact] {
            let model = try ForecastModel(decoding: try await artifact.value)
            #expect(ModelSelfTest.fault(of: ReadyModel(model)) == nil)
        }
        #expect(ModelSelfTest.fault(of: LoadedModel.baseline.ready) == nil)
    }

    @Test("a deployed model that is damaged or fails its self-test is refused and reported, and the one before answers")
    func refused() async throws {
        let reports = Mutex<[(ModelRefusal, Int)]>([])
        let models = DeployedModels(
            source: source, patience: .seconds(600),
            report: { refusal, model, _ in reports.withLock { $0.append((refusal, model.version)) } },
            now: clock.now)
        let tenant = TenantID()
        let good = source.deploy(try await TrainedModel.artifact.value)
        #expect(try await models.model(of: tenant).id == good.modelId)
        let bad = source.deploy(try await broken(), version: 2)
        clock.advance(by: .milliseconds(501))
        let answering = try await models.modelNow(of: tenant)
        #expect(answering.id == good.modelId && answering.refused?.version == 2)
        #expect(answering.refused?.refusal.cause == .selfTest)
        #expect(models.refusal(of: bad.artifactSha256)?.cause == .selfTest)
        // It is fetched again only after a while.
        let fetched = source.state.withLock { $0.artifactQuestions }
        #expect(try await models.model(of: tenant).id == good.modelId)
        #expect(source.state.withLock { $0.artifactQuestions } == fetched)
        clock.advance(by: .seconds(31))
        #expect(try await models.modelNow(of: tenant).id == good.modelId)
        #expect(source.state.withLock { $0.artifactQuestions } == fetched + 1)
        #expect(reports.withLock { $0.map(\.1) } == [2, 2])

        // A node that has just started asks which one was deployed before.
        source.state.withLock { $0.former = good }
        #expect(try await self.models.model(of: tenant).id == good.modelId)
        // The next sound one takes over.
        let next = source.deploy(try await TrainedModel.olderArtifact.value, version: 3)
        clock.advance(by: .milliseconds(501))
        let last = try await models.modelNow(of: tenant)
        #expect(last.id == next.modelId && last.refused == nil)
    }

    @Test("a model that answers its probe otherwise by one bit is refused, though all its answers are forecasts")
    func otherBits() async throws {
        var probed = try await TrainedModel.probedArtifact.value
        #expect(ModelSelfTest.fault(of: ReadyModel(try ForecastModel(decoding: probed))) == nil)
        // The artefact ends with the last figure of the probe: its last bit.
        probed[probed.count - 8] ^= 1
        _ = source.deploy(probed)
        let answering = try await models.model(of: TenantID())
        let refusal = try #require(answering.refused?.refusal)
        #expect(answering.isBaseline && refusal.cause == .selfTest && refusal.reason.contains("than its trainer"))
    }

    @Test(
        "while a new model is loaded the one before answers, and the new one once it is ready", .timeLimit(.minutes(5)))
    func swap() async throws {
        let (models, tenant) = (models, TenantID())
        let former = source.deploy(try await TrainedModel.artifact.value)
        #expect(try await models.model(of: tenant).id == former.modelId)
        let (asked, release) = source.holdArtifacts()
        let next = source.deploy(try await TrainedModel.olderArtifact.value, version: 2)
        clock.advance(by: .milliseconds(501))
        for _ in 0..<3 {
            let answering = try await models.model(of: tenant)
            #expect(answering.id == former.modelId && answering.refused == nil && answering.isConfirmed)
        }
        for await _ in asked { break }
        #expect(source.state.withLock { $0.artifactQuestions } == 2)
        release()
        // Whoever waits for the deployment hears of the new one only.
        #expect(try await models.modelNow(of: tenant).id == next.modelId)
        #expect(try await models.model(of: tenant).id == next.modelId)
    }

    @Test("what it took to load a model is told once, of a refused one not at all", .timeLimit(.minutes(5)))
    func loads() async throws {
        let loads = Mutex<[ModelID]>([])
        let models = DeployedModels(
            source: source, staleAfter: .zero, patience: .seconds(600),
            loaded: { load, model, _ in
                #expect(load == HeldModels.Load(fetching: .zero, verifying: .zero))
                loads.withLock { $0.append(model.modelId) }
            }, now: clock.now)
        let tenant = TenantID()
        let first = source.deploy(try await TrainedModel.artifact.value)
        for _ in 0..<2 { #expect(try await models.modelNow(of: tenant).id == first.modelId) }
        clock.advance(by: .milliseconds(1))
        _ = source.deploy([1, 2, 3], version: 2)
        #expect(try await models.modelNow(of: tenant).refused != nil)
        #expect(loads.withLock { $0 } == [first.modelId])
    }

    @Test("a model is loaded once its deployment is in the change feed, before any request", .timeLimit(.minutes(5)))
    func prepared() async throws {
        let (models, tenant) = (models, TenantID())
        let (asked, release) = source.holdArtifacts()
        release()
        _ = source.deploy(try await TrainedModel.artifact.value)
        // Of a tenant that nobody has asked about nothing is fetched.
        models.prepare(tenant)
        _ = try await models.model(of: tenant)
        _ = source.deploy(try await TrainedModel.olderArtifact.value, version: 2)
        clock.advance(by: .milliseconds(501))
        models.prepare(tenant)
        var fetched = 0
        for await _ in asked {
            fetched += 1
            if fetched == 2 { break }
        }
    }

    @Test("a long deployed model is waited for, however old the model in memory is")
    func longDeployed() async throws {
        let (models, tenant) = (models, TenantID())
        _ = source.deploy(try await TrainedModel.artifact.value)
        _ = try await models.model(of: tenant)
        let next = source.deploy(
            try await TrainedModel.olderArtifact.value, version: 2, deployedAt: Date(timeIntervalSinceNow: -60))
        clock.advance(by: .milliseconds(501))
        #expect(try await models.model(of: tenant).id == next.modelId)
    }

    @Test("where a new model cannot be fetched the one before answers, unconfirmed")
    func unfetched() async throws {
        let (models, tenant) = (models, TenantID())
        let former = source.deploy(try await TrainedModel.artifact.value)
        _ = try await models.model(of: tenant)
        _ = source.deploy(
            try await TrainedModel.olderArtifact.value, version: 2, deployedAt: Date(timeIntervalSinceNow: -60))
        source.state.withLock { $0.areArtifactsDown = true }
        clock.advance(by: .milliseconds(501))
        let answering = try await models.model(of: tenant)
        #expect(answering.id == former.modelId && !answering.isConfirmed)
    }
}
