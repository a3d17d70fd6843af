import Contracts
import ServiceKit

/// What other services have counted of tenants' use.
struct InternalUsageController: Controller {
    let usage: Usage

    static func addRoutes(to routes: inout RouteList<Self>) {
        routes.on(.post, "usage-reports", "reportUsage", .services(.gateway, .mlPrediction), use: add)
    }

    private func add(_ call: ServiceCall, _ report: UsageReport) async throws -> OK<UsageReport> {
        try await usage.add(report)
        return OK(report)
    }
}
