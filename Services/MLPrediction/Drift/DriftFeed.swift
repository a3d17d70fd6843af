import Contracts
import Forecasting
import Foundation
import ServiceKit
import ServiceStorage

/// What has changed, of all models of a tenant. An alarm that was once given stays, whatever its predictions say later. Histories and
/// predictions are gone through in pieces, each when it is its turn at the gate; what is worked out from them stands back for all else.
struct DriftFeed: Sendable {
    let mirrors: TenantMirrors
    let watched: any WatchedPredictions
    let notices: AlarmNotices
    let gate: ComputeGate
    /// So many places of a history are looked through in about a millisecond.
    var placesAtOnce = 10_000
    var now: @Sendable () -> Date = { Date() }

    /// Months that have part of these days are looked at between requests.
    static let recentDays = 31
    /// Before a month, plans are compared with so many at most, of so many days.
    private static let (mostBefore, daysBefore) = (2_000, 183)

    /// Those raised in the span, oldest first. Where the history cannot be read now, those found so far.
    /// - Throws: `PostgresError`, `CancellationError`.
    func alarms(in span: Range<Date>, model: ModelID?, of tenant: TenantID) async throws -> [DriftAlarm] {
        do {
            try await look(in: span, model: model, of: tenant)
        } catch is ProblemError {
            // The history cannot be read.
        }
        return try await notices.kept(in: span, model: model, of: tenant)
    }

    /// Finds and keeps the latest alarms.
    /// - Throws: `ProblemError` when the history cannot be read, `PostgresError`.
    func lookAtRecent(_ tenant: TenantID) async throws {
        let moment = now()
        try await look(
            in: moment.addingTimeInterval(-Double(Self.recentDays) * 86_400)..<moment, model: nil, of: tenant)
    }

    private func look(in span: Range<Date>, model: ModelID?, of tenant: TenantID) async throws {
        let knowledge = try await mirrors.mirror(of: tenant).knowledge
        let spans = try await workSpans(knowledge)
        let durations = try await aside { WorkDurations(spans) }
        let past = span.clamped(to: Date.distantPast..<now())
        var found: [DriftAlarm] = []
        for month in CalendarMonth.all(in: past) {
            found += try await alarms(of: month, durations, model, tenant)
        }
        try await notices.keep(found, of: tenant)
    }

    /// Of the whole history, each allocation as it is when it is its piece's turn.
    func workSpans(_ knowledge: SharedLock<TenantKnowledge>) async throws -> [WorkSpan] {
        var (spans, load, next) = ([WorkSpan](), UUID?.none, 0)
        while true {
            let places = next..<next + placesAtOnce
            let piece = try await gate.run(named: "drift") {
                knowledge.read { knowledge in
                    (
                        load: knowledge.load, spans: knowledge.history.workSpans(at: places),
                        isLast: places.upperBound >= knowledge.history.placeCount
                    )
                }
            }
            // A history that was loaded afresh meanwhile has other places.
            guard next == 0 || piece.load == load else {
                (spans, next) = ([], 0)
                continue
            }
            spans += piece.spans
            if piece.isLast { return spans }
            (load, next) = (piece.load, places.upperBound)
        }
    }

    private func aside<Value: Sendable>(_ body: @escaping @Sendable () -> Value) async throws -> Value {
        try await ComputeThread.run(named: "drift", isBackground: true, body)
    }

    private func alarms(
        of month: CalendarMonth, _ durations: WorkDurations, _ model: ModelID?, _ tenant: TenantID
    ) async throws -> [DriftAlarm] {
        let past = month.span.clamped(to: Date.distantPast..<now())
        let (start, end) = (past.lowerBound, past.upperBound)
        // As it was known when the month began: every look at the month waits as long.
        let wait = try await aside { OutcomeWait(durations, asOf: start) }
        let decided = wait?.decided(dueIn: past) ?? past
        let models = try await watched.models(
            asked: decided.lowerBound.addingTimeInterval(-OutcomeMatching.after)..<end, model: model, tenant: tenant)
        var alarms: [DriftAlarm] = []
        for model in models {
            let watch = DriftWatch(model: model, month: month)
            let outcomes =
                wait == nil ? [] : try await watched.outcomes(of: model, decided: decided, tenant: tenant)
            let before = start.addingTimeInterval(-Double(Self.daysBefore) * 86_400)..<start
            let plans =
                try await watched.plans(of: model, asked: before, most: Self.mostBefore, tenant: tenant)
                + watched.plans(of: model, asked: past, most: .max, tenant: tenant)
            alarms += try await aside {
                (wait.map { watch.alarms(outcomes, after: $0) } ?? []) + [watch.alarm(plans)].compactMap { $0 }
            }
        }
        return alarms
    }
}

extension DriftFeed {
    init(database: ServiceDatabase, mirrors: TenantMirrors, gate: ComputeGate) {
        self.init(
            mirrors: mirrors, watched: PostgresWatchedPredictions(database: database, gate: gate),
            notices: AlarmNotices(database: database), gate: gate)
    }
}
