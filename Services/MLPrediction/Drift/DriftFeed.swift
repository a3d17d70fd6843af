import Contracts
import Foundation

/// What has changed, of all models of a tenant.
struct DriftFeed: Sendable {
    let watched: any WatchedPredictions

    /// Those raised in the span, oldest first. What was asked before it counts: a month that has begun goes on.
    /// - Parameter end: nil for none.
    func alarms(
        from start: Date, before end: Date? = nil, model: ModelID?, of tenant: TenantID
    ) async throws -> [DriftAlarm] {
        let models = try await watched.models(
            since: start.addingTimeInterval(-31 * 86_400), model: model, tenant: tenant)
        return models.sorted { $0.key.description < $1.key.description }
            .flatMap { DriftWatch.alarms($0.value, model: $0.key) }
            .filter { alarm in alarm.raisedAt >= start && end.map { alarm.raisedAt < $0 } ?? true }
            .sorted { ($0.raisedAt, $0.kind.rawValue) < ($1.raisedAt, $1.kind.rawValue) }
    }
}
