import Contracts
import Hummingbird
import ServiceKit

/// What other services have counted of tenants' use.
///
/// | method | path                         | permission             |
/// | ------ | ---------------------------- | ---------------------- |
/// | POST   | `/internal/v1/usage-reports` | gateway, ml-prediction |
struct InternalUsageController: Sendable {
    let usage: Usage

    func addRoutes(to group: RouterGroup<ServiceRequestContext>) {
        group.post("usage-reports", use: add)
    }

    @Sendable func add(_ request: Request, _ context: ServiceRequestContext) async throws -> Response {
        let report = try await request.payload(UsageReport.self, context: context)
        try await usage.add(report)
        return try Answer.data(report)
    }
}
