import Contracts
import Foundation
import Postgres
import ServiceStorage
import TestSupport
import Testing

@testable import MLTraining

/// Who deploys and waits learns from the nodes themselves which of them answer with the model.
@Suite struct PredictionNodesTests {
    private let tenant = TenantID()
    private let model = ModelID()

    private func report(
        _ node: UUID, _ name: String, _ state: ServingState? = nil, model: ModelID? = nil, reason: String? = nil
    ) -> PredictionNodeReport {
        PredictionNodeReport(
            nodeId: node, name: name,
            models: state.map {
                [.init(tenantId: tenant, modelId: model ?? self.model, state: $0, reason: reason)]
            } ?? [])
    }

    @Test(
        "live nodes are named with what they have said since the deployment, and one that is silent is waited for in vain"
    )
    func states() async throws {
        try await TrainingDatabase.with { fixture in
            let nodes = PredictionNodes(database: fixture.database, silence: .seconds(600), pause: .milliseconds(5))
            let (first, second, third, gone) = (UUID(), UUID(), UUID(), UUID())
            // Of an earlier deployment, which says nothing of this one.
            _ = try await nodes.take(report(first, "a:1", .serving))
            _ = try await nodes.take(report(gone, "d:1", .serving))
            try await fixture.database.withTransaction { connection in
                try await connection.setLocal(settings: ["erm.queue": "nodes"])
                try await connection.execute(
                    "UPDATE prediction_nodes SET seen_at = seen_at - interval '601 seconds' WHERE id = \(gone)")
            }
            async let told = nodes.serving(model, of: tenant, within: .seconds(600))
            var awaited: [AwaitedDeployment] = []
            while awaited.isEmpty { awaited = try await nodes.take(report(second, "b:1")) }
            #expect(awaited == [AwaitedDeployment(tenantId: tenant, modelId: model)])
            _ = try await nodes.take(report(third, "c:1", .refused, reason: "it is damaged"))
            _ = try await nodes.take(report(first, "a:1", .serving))
            _ = try await nodes.take(report(second, "b:1", .serving))
            let all = try await told
            #expect(
                all == [
                    ServingNode(node: "a:1", state: .serving, reason: nil),
                    ServingNode(node: "b:1", state: .serving, reason: nil),
                    ServingNode(node: "c:1", state: .refused, reason: "it is damaged"),
                ])

            // Another model of the tenant: what they said of the first one does not count.
            let impatient = try await nodes.serving(ModelID(), of: tenant, within: .milliseconds(1))
            #expect(impatient.map(\.state) == [.waiting, .waiting, .waiting])
        }
    }

    @Test("without a live node a deployment waits for none")
    func nobody() async throws {
        try await TrainingDatabase.with { fixture in
            let told = try await PredictionNodes(database: fixture.database)
                .serving(model, of: tenant, within: .seconds(600))
            #expect(told.isEmpty)
        }
    }
}
