import Contracts
import Foundation
import Postgres
import TestSupport
import Testing

@testable import TenantAdmin

/// No row of these has a value that this release knows, as after a newer release or an edit by hand.
@Suite("Rows with unknown values")
struct StrictRowTests {
    private static let id = "0d9a4a54-7a67-4b7e-9d7d-5c1a3f5f9a10"

    private func failure(
        _ columns: SQL, _ decode: (PostgresRow) throws -> Void
    ) async throws -> PostgresError? {
        try await PostgresCluster.withPool("strictrows") { pool in
            let row = try await pool.withConnection { connection in
                try await connection.query("WITH source AS (SELECT \(sql: columns)) SELECT * FROM source")[0]
            }
            return #expect(throws: PostgresError.self) { try decode(row) }
        }
    }

    @Test("an unknown status, plan or kind is an error that names column and row, never another value")
    func unknownValues() async throws {
        let project = try await failure(
            """
            \(Self.id)::uuid AS id, 'P1' AS external_id, 'One' AS name, 'paused' AS status,
                0::double precision AS completion_percentage, null::date AS start_date,
                null::date AS estimated_end_date, null::date AS end_date, '{}'::text[] AS required_skills
            """
        ) { _ = try Projects.item($0) }
        let tenant = try await failure(
            """
            \(Self.id)::uuid AS id, 'Acme' AS name, 'acme' AS subdomain, 'platinum' AS plan, true AS is_active
            """
        ) { _ = try TenantSummary($0) }
        let report = try await failure(
            """
            \(Self.id)::uuid AS id, 'timesheets' AS kind, 'applied' AS status, 0 AS rows_read, 0 AS inserted,
                0 AS updated, 0 AS unchanged, 0 AS rejected, '[]'::jsonb AS errors, now() AS created_at
            """
        ) { _ = try ImportReport($0) }
        let message = try await failure(
            """
            \(Self.id)::uuid AS id, \(Self.id)::uuid AS tenant_id, 'welcome' AS kind, 'ada@acme.example' AS recipient,
                null::uuid AS invitation_id, now() AS expires_at, 1 AS attempts
            """
        ) { _ = try Outbox.Entry($0) }
        let invitation = try await failure(
            """
            \(Self.id)::uuid AS id, 'ada@acme.example' AS email, 'Ada' AS name, '{}'::text[] AS roles,
                'lost' AS status, 'x' AS invited_by, now() AS created_at, now() AS expires_at
            """
        ) { _ = try Invitation($0) }

        for (error, column) in [
            (project, "status"), (tenant, "plan"), (report, "kind"), (message, "kind"), (invitation, "status"),
        ] {
            #expect(error?.code == .decoding && error?.columnName == column && error?.tableName == "source")
            #expect(error?.description.contains("the row \(Self.id)") == true)
        }
    }

    @Test("an invitation's message that names no invitation is an error, not a password reset")
    func invitationMissing() async throws {
        try await TestService.run { service in
            let tenant = try await service.createTenant("acme")
            let entry = Outbox.Entry(
                id: MessageID(), tenant: tenant.id, kind: .invitation, recipient: tenant.adminEmail, invitation: nil,
                expiresAt: .distantFuture, attempts: 1)
            await #expect(throws: Outbox.InvitationMissing.self) {
                try await TenantDatabase(pool: service.pool).withTenant(tenant.id) {
                    _ = try await OneTimeToken.issue(for: entry, on: $0)
                }
            }
        }
    }
}
