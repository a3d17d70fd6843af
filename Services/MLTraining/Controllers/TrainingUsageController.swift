import Contracts
import ServiceKit

/// How much training a tenant has used of what its plan allows.
struct TrainingUsageController: Controller {
    let quota: TrainingQuota

    static func addRoutes(to routes: inout RouteList<Self>) {
        routes.on(.get, "training/usage", "getTrainingUsage", .may(.read, .ml), use: usage)
    }

    private func usage(_ call: TenantCall) async throws -> OK<TrainingUsage> {
        OK(try await quota.usage(of: call.tenant, trace: call.context.trace))
    }
}
