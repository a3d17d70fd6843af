import Contracts
import Foundation
import Postgres
import ServiceStorage

/// Drift alarms that were given, in `ml_prediction.alarm_notices`: of each kind and model one a month. With a webhook they are on their
/// way to the operator, too.
struct AlarmNotices: Sendable {
    let database: ServiceDatabase

    struct Entry: Sendable {
        let alarm: OutgoingAlarm
        /// This one included.
        let attempts: Int
    }

    /// Alarms older than this, when they are found, are history, and not sent.
    private static let newsDays = DriftFeed.recentDays
    /// An alarm that cannot be delivered for this long is given up; the feed still lists it.
    private static let lifetime = "7 days"
    /// For so long one node has the right to deliver what it claimed.
    private static let lease = Duration.seconds(120)

    /// Writes down those that were not written down before.
    func keep(_ alarms: [DriftAlarm], of tenant: TenantID) async throws {
        if alarms.isEmpty { return }
        try await database.withTenantRows(tenant) { connection in
            try await connection.executeBatch(
                alarms.map { alarm in
                    """
                    INSERT INTO alarm_notices (id, tenant_id, model_id, kind, month, alarm)
                    VALUES (\(UUID()), \(tenant), \(alarm.modelId), \(alarm.kind), \(CalendarMonth(alarm.raisedAt).description),
                        \(wire: alarm)::jsonb)
                    ON CONFLICT DO NOTHING
                    """
                })
        }
    }

    /// Those raised in the span, oldest first.
    func kept(in span: Range<Date>, model: ModelID?, of tenant: TenantID) async throws -> [DriftAlarm] {
        let months = (CalendarMonth(span.lowerBound).description, CalendarMonth(span.upperBound).description)
        let alarms: [DriftAlarm] = try await database.withTenantRows(tenant, readOnly: true) { connection in
            try await connection.query(
                """
                SELECT alarm FROM alarm_notices WHERE month BETWEEN \(months.0) AND \(months.1)
                    AND (\(optional: model)::uuid IS NULL OR model_id = \(optional: model))
                ORDER BY model_id
                """
            ).map { try $0.wire("alarm") }
        }
        return alarms.filter { span.contains($0.raisedAt) }
            .sorted { ($0.raisedAt, $0.kind.rawValue) < ($1.raisedAt, $1.kind.rawValue) }
    }

    /// The next alarms to deliver, leased for two minutes.
    func claim(_ limit: Int) async throws -> [Entry] {
        try await withQueue { connection in
            try await connection.query(
                """
                UPDATE alarm_notices SET attempts = attempts + 1,
                    next_attempt_at = clock_timestamp() + make_interval(secs => \(Self.lease / .seconds(1)))
                WHERE id IN (
                    SELECT id FROM alarm_notices
                    WHERE delivered_at IS NULL AND next_attempt_at <= clock_timestamp()
                        AND created_at > clock_timestamp() - \(Self.lifetime)::interval
                        AND (alarm ->> 'raisedAt')::timestamptz > created_at - make_interval(days => \(Self.newsDays))
                    ORDER BY created_at LIMIT \(limit) FOR UPDATE SKIP LOCKED)
                RETURNING id, tenant_id, alarm, attempts
                """
            ).map { row in
                Entry(
                    alarm: OutgoingAlarm(
                        id: try row.decode("id"), tenantId: try row.decode("tenant_id"), alarm: try row.wire("alarm")),
                    attempts: try row.decode("attempts"))
            }
        }
    }

    func delivered(_ id: UUID) async throws {
        try await withQueue {
            _ = try await $0.execute("UPDATE alarm_notices SET delivered_at = clock_timestamp() WHERE id = \(id)")
        }
    }

    /// To be tried again after `pause`.
    func failed(_ id: UUID, pause: Duration) async throws {
        try await withQueue {
            _ = try await $0.execute(
                """
                UPDATE alarm_notices SET next_attempt_at = clock_timestamp() + make_interval(secs => \(pause / .seconds(1)))
                WHERE id = \(id)
                """)
        }
    }

    private func withQueue<Result: Sendable>(
        _ body: @Sendable (PostgresConnection) async throws -> Result
    ) async throws -> Result {
        try await database.withTransaction { connection in
            try await connection.setLocal(settings: ["erm.queue": "watch"])
            return try await body(connection)
        }
    }
}
