import Contracts
import Foundation
import Hummingbird
import ServiceKit

/// | method | path | permission |
/// | --- | --- | --- |
/// | GET | /api/v1/metrics?from=&to=&modelId= | ml: read |
struct ModelMetricsController: Sendable {
    let store: any ModelMetricsStore
    let now: @Sendable () -> Date

    /// The longest span asked for at once.
    static let maximumDays = 400

    func addRoutes(to group: RouterGroup<ServiceRequestContext>) {
        group.get("metrics", use: daily)
    }

    /// The last 30 days when not asked otherwise.
    private func daily(_ request: Request, _ context: ServiceRequestContext) async throws -> Response {
        let caller = try context.authorise(.read, on: .ml)
        var query = try QueryParameters(request)
        let last = query.civilDate("to") ?? CivilDate(now())
        let first = query.civilDate("from") ?? last.adding(days: -29)
        let model: ModelID? = query.identifier("modelId")
        if first > last { query.reject("to", "must not be before from") }
        if last.daysSinceEpoch - first.daysSinceEpoch >= Self.maximumDays {
            query.reject("from", "must be less than \(Self.maximumDays) days before to")
        }
        try query.finish()
        let days = try await store.daily(from: first, to: last, model: model, tenant: caller.tenant)
        return try Answer.list(days, nextCursor: nil)
    }
}
