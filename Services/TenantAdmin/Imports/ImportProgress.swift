import Contracts
import Foundation
import Postgres
import ServiceKit
import ServiceStorage
import Synchronization

/// What is shown of one import while it is under way: a row of the tenant's, written in transactions of its own. A short import
/// is never shown.
final class ImportProgress: Sendable {
    private let database: TenantDatabase
    private let tenant: TenantID
    private let order: Imports.Order
    private let createdAt = Date()
    private let shown = Mutex(false)

    init(database: TenantDatabase, tenant: TenantID, order: Imports.Order) {
        self.database = database
        self.tenant = tenant
        self.order = order
    }

    /// How long an import is listed after its last progress: its service may have been killed. An import that is being applied
    /// reports no progress until its end.
    static let isCurrent: SQL = """
        seen_at > now() - CASE status WHEN 'applying' THEN interval '1 hour' ELSE interval '1 minute' END
        """

    /// What is under way, with the columns of `ImportReport.columns`.
    static let rows: SQL = """
        SELECT id, kind, status, received_bytes, rows_read, 0::bigint AS inserted, 0::bigint AS updated,
            0::bigint AS unchanged, 0::bigint AS cleared, rejected, '[]'::jsonb AS errors, '[]'::jsonb AS warnings, created_at
        FROM imports_under_way WHERE \(sql: isCurrent)
        """

    /// Whether there may be a row of it.
    var isShown: Bool { shown.withLock { $0 } }

    /// - Throws: 403 `tenant_unavailable`.
    func show(_ status: ImportStatus, _ tally: ImportTally.State) async throws {
        // Set first: whether a transaction was committed that broke off is not known.
        let isFirst = shown.withLock { shown in
            defer { shown = true }
            return !shown
        }
        try await database.withTenant(tenant) { connection in
            if isFirst {
                // Those of services that were killed.
                try await connection.execute("DELETE FROM imports_under_way WHERE NOT (\(sql: Self.isCurrent))")
            }
            try await connection.execute(
                """
                INSERT INTO imports_under_way (id, kind, status, received_bytes, rows_read, rejected, created_at, seen_at)
                VALUES (\(order.id), \(order.kind), \(status), \(tally.bytes), \(tally.rowsRead), \(tally.rejected),
                    \(createdAt), now())
                ON CONFLICT (id) DO UPDATE SET kind = excluded.kind, status = excluded.status,
                    received_bytes = excluded.received_bytes, rows_read = excluded.rows_read,
                    rejected = excluded.rejected, created_at = excluded.created_at, seen_at = excluded.seen_at
                """)
        }
    }

    /// Inside the transaction that ends the import.
    func end(on connection: PostgresConnection) async throws {
        guard isShown else { return }
        try await connection.execute("DELETE FROM imports_under_way WHERE id = \(order.id)")
    }

    /// Ends an import that keeps nothing, also when the caller was cancelled. If its entry cannot be removed now, it expires
    /// (``isCurrent``).
    func withdraw() async {
        guard isShown else { return }
        await Task { try? await database.withTenant(tenant) { try await end(on: $0) } }.value
    }
}
