import Contracts
import ServiceKit

/// What the nodes of ml-prediction report.
struct PredictionNodesController: Controller {
    let nodes: PredictionNodes

    static func addRoutes(to routes: inout RouteList<Self>) {
        routes.on(.post, "prediction-nodes", "reportPredictionNode", .services(.mlPrediction), use: report)
    }

    private func report(_ call: ServiceCall, _ payload: PredictionNodeReport) async throws -> OK<[AwaitedDeployment]> {
        // It comes from every node, twice a second.
        call.context.record.note { $0.isQuiet = true }
        return OK(try await nodes.take(payload))
    }
}
