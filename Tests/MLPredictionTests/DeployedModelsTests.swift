import Contracts
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

    private var models: DeployedModels { DeployedModels(source: source, now: clock.now) }

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

    @Test("without a deployed model the answer says so, and the first deployment is noticed at once")
    func none() async throws {
        let (models, tenant) = (models, TenantID())
        let error = await #expect(throws: ProblemError.self) { _ = try await models.model(of: tenant) }
        #expect(error?.status.code == 409 && error?.code == .noDeployedModel)
        _ = source.deploy(try await TrainedModel.artifact.value)
        #expect(try await models.model(of: tenant).version == 1)
    }

    @Test("when ml-training cannot be asked, what was known half a second ago is not used")
    func failsClosed() async throws {
        _ = source.deploy(try await TrainedModel.artifact.value)
        let (models, tenant) = (models, TenantID())
        _ = try await models.model(of: tenant)
        source.state.withLock { $0.isDown = true }
        _ = try await models.model(of: tenant)
        clock.advance(by: .milliseconds(501))
        let error = await #expect(throws: ProblemError.self) { _ = try await models.model(of: tenant) }
        #expect(error?.status.code == 503)
    }

    @Test("an artefact with other bytes than its digest says is refused")
    func damaged() async throws {
        var bytes = try await TrainedModel.artifact.value
        let model = source.deploy(bytes)
        bytes[bytes.count / 2] ^= 1
        let forged = bytes
        source.state.withLock { $0.artifacts[model.modelId] = forged }
        let error = await #expect(throws: ProblemError.self) { _ = try await models.model(of: TenantID()) }
        #expect(error?.status.code == 502)
    }
}
