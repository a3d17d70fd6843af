import Contracts
import Hummingbird
import ServiceKit

/// | method | path | permission |
/// | --- | --- | --- |
/// | GET | /api/v1/training/usage | ml: read |
struct TrainingUsageController: Sendable {
    let quota: TrainingQuota

    func addRoutes(to group: RouterGroup<ServiceRequestContext>) { group.get("training/usage", use: usage) }

    private func usage(_ request: Request, _ context: ServiceRequestContext) async throws -> Response {
        let caller = try context.authorise(.read, on: .ml)
        try request.rejectQuery()
        return try Answer.data(try await quota.usage(of: caller.tenant, trace: context.trace))
    }
}
