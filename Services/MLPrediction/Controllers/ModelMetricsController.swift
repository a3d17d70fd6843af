import Contracts
import Foundation
import ServiceKit

/// How models do in service, day by day.
struct ModelMetricsController: Controller {
    let service: PredictionService
    let store: any ModelMetricsStore
    let drift: DriftFeed
    let decisionMetrics: PostgresDecisionMetrics

    static func addRoutes(to routes: inout RouteList<Self>) {
        routes.on(.get, "metrics", "listModelMetrics", .may(.read, .ml), use: daily)
        routes.on(.get, "metrics/alarms", "listDriftAlarms", .may(.read, .ml), use: alarms)
        routes.on(.get, "metrics/decisions", "listDecisionMetrics", .may(.read, .ml), use: byDecision)
        routes.on(.get, "metrics/selection", "listSelectionMetrics", .may(.read, .ml), use: selection)
    }

    private func daily(_ call: TenantCall, _ query: MetricsQuery) async throws -> Listed<ModelDayMetrics> {
        await service.outcomes.takeNewest(of: call.tenant, asked: query.span)
        let days = try await store.daily(
            from: query.first, to: query.last, model: query.model, tenant: call.tenant)
        let alarms = try await drift.alarms(in: query.span, model: query.model, of: call.tenant)
        return Listed(all: days.map { $0.adding(alarms) })
    }

    private func alarms(_ call: TenantCall, _ query: MetricsQuery) async throws -> Listed<DriftAlarm> {
        await service.outcomes.takeNewest(of: call.tenant)
        return Listed(all: try await drift.alarms(in: query.span, model: query.model, of: call.tenant))
    }

    private func selection(_ call: TenantCall, _ query: MetricsQuery) async throws -> Listed<DepartmentSelection> {
        await service.outcomes.takeNewest(of: call.tenant)
        return Listed(
            all: try await decisionMetrics.selection(
                from: query.first, to: query.last, model: query.model, tenant: call.tenant))
    }

    private func byDecision(_ call: TenantCall, _ query: MetricsQuery) async throws -> Listed<DecisionMetrics> {
        await service.outcomes.takeNewest(of: call.tenant)
        return Listed(
            all: try await decisionMetrics.decisions(
                from: query.first, to: query.last, model: query.model, tenant: call.tenant))
    }
}

/// The last 30 days when not asked otherwise.
struct MetricsQuery: RouteQuery {
    let first: CivilDate
    let last: CivilDate
    let model: ModelID?

    var span: Range<Date> { first.startOfDay..<last.adding(days: 1).startOfDay }

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

extension ModelDayMetrics {
    /// With those of the model's alarms that were raised on the day.
    fileprivate func adding(_ alarms: [DriftAlarm]) -> ModelDayMetrics {
        var day = self
        day.alarms = alarms.filter { $0.modelId == modelId && CivilDate($0.raisedAt) == date }.map(\.kind)
        return day
    }
}
