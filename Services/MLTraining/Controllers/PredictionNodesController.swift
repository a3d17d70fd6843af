import Contracts
import ServiceKit

/// What the nodes of ml-prediction report.
struct PredictionNodesController: Controller {
    let nodes: PredictionNodes

    static func addRoutes(to routes: inout RouteList<Self>) {
        routes.on(.post, "prediction-nodes", "reportPredictionNode", .services(.mlPrediction), use: report)
    }

    private func report(_ call: ServiceCall, _ payload: PredictionNodeReport) async throws -> OK<[AwaitedDeployment]> {
        OK(try await nodes.take(payload))
    }
}
