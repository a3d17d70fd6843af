import Contracts
import Foundation
import HTTPTypes
import ServiceKit
import Synchronization
import Testing

@testable import MLPrediction

extension ScriptedModels: ServableModelSource {
    func servable(tenant: TenantID) async throws -> [ServableModel] {
        guard let deployed = try await deployment(tenant: tenant) else { return [] }
        return [
            ServableModel(
                modelId: deployed.modelId, name: "m", version: deployed.version, kind: deployed.kind,
                artifactSha256: deployed.artifactSha256, isDeployed: true)
        ]
    }
}

@Suite struct TenantNetworksTests {
    private let clock = ManualClock()
    private let source = ScriptedModels()
    private let tenant = TenantID()

    private func parts() -> (models: DeployedModels, networks: TenantNetworks) {
        let models = DeployedModels(source: source, patience: .seconds(600), now: clock.now)
        return (models, TenantNetworks(source: source, models: models, patience: .seconds(600), now: clock.now))
    }

    @Test("while ml-training does not answer the networks in memory do")
    func alone() async throws {
        _ = source.deploy(try await TrainedModel.artifact.value)
        let (_, networks) = parts()
        _ = try await networks.network(named: "m", version: nil, tenant: tenant)
        source.state.withLock { $0.isDown = true }
        for _ in 0..<2 {
            clock.advance(by: .milliseconds(501))
            #expect(try await networks.network(named: "m", version: nil, tenant: tenant).version == 1)
            #expect(try await networks.network(named: "m", version: "1", tenant: tenant).version == 1)
            #expect(try await networks.servable(tenant).map(\.version) == [1])
        }
        // What is not known cannot be said not to be.
        let error = await #expect(throws: ProblemError.self) {
            _ = try await networks.network(named: "m", version: "2", tenant: tenant)
        }
        #expect(error?.status == .serviceUnavailable)
    }

    @Test("a version that was deployed after the list was asked for answers at once")
    func deployedMeanwhile() async throws {
        let bytes = try await TrainedModel.artifact.value
        _ = source.deploy(bytes)
        let (models, networks) = parts()
        #expect(try await networks.network(named: "m", version: nil, tenant: tenant).version == 1)
        _ = source.deploy(bytes, version: 2)
        clock.advance(by: .milliseconds(1))
        // As a node does that a deployment waits for.
        _ = try await models.modelNow(of: tenant)
        clock.advance(by: .milliseconds(1))

        let deployed = try await networks.network(named: "m", version: nil, tenant: tenant)
        let named = try await networks.network(named: "m", version: "2", tenant: tenant)

        #expect(deployed.version == 2 && named.version == 2)
    }

    @Test("the network of a refused model is refused, also where a baseline answers predictions")
    func refused() async throws {
        let deployed = source.deploy(try await TrainedModel.artifact.value)
        source.state.withLock { $0.artifacts[deployed.modelId] = [1] }
        let (models, networks) = parts()
        #expect(try await models.model(of: tenant).isBaseline)
        for version in [nil, "1"] {
            let error = await #expect(throws: ModelRefusal.self) {
                _ = try await networks.network(named: "m", version: version, tenant: tenant)
            }
            #expect(error == .damaged && error?.problem?.status.code == 502)
        }
    }
}
