import Contracts
import Foundation
import Postgres
import ServiceKit

extension Outbox {
    /// What waits to be delivered, by kind: counts and ages alone, neither people nor tokens.
    func waiting() async throws -> [WaitingMessages] {
        let rows = try await database.pool.withConnection { connection in
            try await connection.query(
                """
                SELECT o.kind, count(*) AS waiting, count(*) FILTER (WHERE o.next_attempt_at <= now() AND t.is_active) AS due,
                    min(o.created_at) AS oldest, max(o.attempts) AS attempts
                FROM tenant_admin.outbox o JOIN tenant_admin.tenants t ON t.id = o.tenant_id
                WHERE o.delivered_at IS NULL AND o.expires_at > now() GROUP BY o.kind
                """)
        }
        let found = try rows.map { row in
            WaitingMessages(
                kind: try row.decode("kind"), waiting: try row.decode("waiting"), due: try row.decode("due"),
                oldestAt: try row.decode("oldest"), mostAttempts: try row.decode("attempts"))
        }
        return MessageKind.allCases.map { kind in
            found.first { $0.kind == kind }
                ?? WaitingMessages(kind: kind, waiting: 0, due: 0, oldestAt: nil, mostAttempts: 0)
        }
    }
}
