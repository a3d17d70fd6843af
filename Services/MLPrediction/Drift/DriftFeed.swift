import Contracts
import Forecasting
import Foundation
import ServiceStorage

/// What has changed, of all models of a tenant.
struct DriftFeed: Sendable {
    let mirrors: TenantMirrors
    let watched: any WatchedPredictions
    var now: @Sendable () -> Date = { Date() }

    /// Before a month, plans are compared with so many at most, of so many days.
    private static let (mostBefore, daysBefore) = (2_000, 183)

    init(database: ServiceDatabase, mirrors: TenantMirrors) {
        self.mirrors = mirrors
        watched = PostgresWatchedPredictions(database: database)
    }

    /// Those raised in the span, oldest first. What was asked before it counts: a month that has begun goes on.
    /// - Throws: `ProblemError` when the history cannot be read, `PostgresError`.
    func alarms(in span: Range<Date>, model: ModelID?, of tenant: TenantID) async throws -> [DriftAlarm] {
        let spans = try await mirrors.mirror(of: tenant).knowledge.read { $0.history.workSpans }
        let durations = WorkDurations(spans)
        let past = span.clamped(to: Date.distantPast..<now())
        var found: [DriftAlarm] = []
        for month in CalendarMonth.all(in: past) {
            found += try await alarms(of: month, durations, model, tenant)
        }
        return found.filter { span.contains($0.raisedAt) }
            .sorted { ($0.raisedAt, $0.kind.rawValue) < ($1.raisedAt, $1.kind.rawValue) }
    }

    private func alarms(
        of month: CalendarMonth, _ durations: WorkDurations, _ model: ModelID?, _ tenant: TenantID
    ) async throws -> [DriftAlarm] {
        let past = month.span.clamped(to: Date.distantPast..<now())
        let (start, end) = (past.lowerBound, past.upperBound)
        // As it was known when the month began: every look at the month waits as long.
        let wait = OutcomeWait(durations, asOf: start)
        let decided = wait?.decided(dueIn: past) ?? past
        let models = try await watched.models(
            asked: decided.lowerBound.addingTimeInterval(-OutcomeMatching.after)..<end, model: model, tenant: tenant)
        var alarms: [DriftAlarm] = []
        for model in models {
            let watch = DriftWatch(model: model, month: month)
            if let wait {
                alarms += watch.alarms(
                    try await watched.outcomes(of: model, decided: decided, tenant: tenant), after: wait)
            }
            let before = start.addingTimeInterval(-Double(Self.daysBefore) * 86_400)..<start
            let plans =
                try await watched.plans(of: model, asked: before, most: Self.mostBefore, tenant: tenant)
                + watched.plans(of: model, asked: past, most: .max, tenant: tenant)
            if let alarm = watch.alarm(plans) { alarms.append(alarm) }
        }
        return alarms
    }
}
