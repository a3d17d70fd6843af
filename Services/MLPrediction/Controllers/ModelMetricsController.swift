import Contracts
import Foundation
import ServiceKit

/// How models do in service, day by day.
struct ModelMetricsController: Controller {
    let service: PredictionService
    let store: any ModelMetricsStore

    static func addRoutes(to routes: inout RouteList<Self>) {
        routes.on(.get, "metrics", "listModelMetrics", .may(.read, .ml), use: daily)
    }

    private func daily(_ call: TenantCall, _ query: MetricsQuery) async throws -> Listed<ModelDayMetrics> {
        await service.takeOutcomes(of: call.tenant)
        return Listed(
            all: try await store.daily(from: query.first, to: query.last, model: query.model, tenant: call.tenant))
    }
}

/// The last 30 days when not asked otherwise.
struct MetricsQuery: RouteQuery {
    let first: CivilDate
    let last: CivilDate
    let model: ModelID?

    /// The longest span asked for at once.
    static let maximumDays = 400

    init(_ query: inout QueryParameters) {
        last = query.civilDate("to") ?? CivilDate(Date())
        first = query.civilDate("from") ?? last.adding(days: -29)
        model = query.identifier("modelId")
        if first > last { query.reject("to", "must not be before from") }
        if last.daysSinceEpoch - first.daysSinceEpoch >= Self.maximumDays {
            query.reject("from", "must be less than \(Self.maximumDays) days before to")
        }
    }
}
