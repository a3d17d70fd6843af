import Basics
import Contracts
import Foundation
import HTTPTypes
import Logging
import Postgres
import ServiceIdentity
import ServiceKit
import ServiceLifecycle
import ServiceStorage
import Synchronization

/// Signs the newest link of tenants' audit chains every few seconds, and keeps it in `erm_audit`, which belongs to another
/// role (`compose/roles.sql`): this service can add the next head there, but neither change nor remove one.
///
/// Entries before the last head cannot be rewritten unnoticed with this service's database role, and not even by a database
/// administrator: the signing key is not in the database. Entries after the last head can: they are at most ``pause`` old, or
/// ``wholeSweep`` where the node that wrote them was killed. Heads go with a tenant's purge only, and a tenant under the id of one that
/// was purged gets none.
final class AuditAnchors: Service {
    private let pool: PostgresPool
    private let signer: StatementSigner
    private let logger: Logger
    /// Tenants whose chain this node may have made longer.
    private let moved = Mutex<Set<TenantID>>([])
    /// When was last looked for changed tenants, and when at all of them; nil: never. How far a sweep of all is that is under way.
    private let sweeps = Mutex<
        (changed: ContinuousClock.Instant?, all: ContinuousClock.Instant?, position: TenantID?)
    >((nil, nil, nil))
    /// How often all tenants' chains are looked at: a node may have been killed before it had signed, and not have come back.
    private let wholeSweep: Duration

    private static let pause = Duration.seconds(2)
    /// How often is looked for tenants that were made or changed as such, which happens outside of their own transactions.
    private static let sweep = Duration.seconds(60)
    /// Of all tenants so many are looked at in one round.
    private static let atOnce = 200
    /// How long a tenant's chain is waited for while a migration or a purge holds it.
    private static let lockTimeout = "1s"

    init(pool: PostgresPool, signer: StatementSigner, wholeSweep: Duration = .seconds(3600), logger: Logger) {
        self.pool = pool
        self.signer = signer
        self.wholeSweep = wholeSweep
        self.logger = logger
    }

    /// A transaction of the tenant's has been committed, and may have been audited.
    func note(_ tenant: TenantID) { moved.withLock { _ = $0.insert(tenant) } }

    func run() async throws {
        await PeriodicWork(every: Self.pause).run(logging: .each("Anchoring audit heads failed", to: logger)) {
            try await self.sweepIfDue()
            try await self.anchorMoved()
        }
        // What was written since: no other node knows that there is something to sign.
        do {
            try await anchorMoved()
        } catch {
            logger.warning("Anchoring audit heads failed", metadata: [LogKey.error: "\(LogText.of(error))"])
        }
    }

    /// Notes tenants that were changed as such, and some of all while a whole sweep is under way: others' entries do not wait for its end.
    private func sweepIfDue() async throws {
        let now = ContinuousClock.now
        let last = sweeps.withLock { $0 }
        if last.changed.map({ now >= $0 + Self.sweep }) ?? true {
            try await noteTenants(
                "updated_at > now() - \(Self.sweep.components.seconds * 2)::double precision * interval '1 second'")
            sweeps.withLock { $0.changed = now }
        }
        // The first time at once: a node may have ended before it had signed.
        guard last.position != nil || last.all.map({ now >= $0 + wholeSweep }) ?? true else { return }
        let later: SQL = last.position.map { "id > \($0)" } ?? "true"
        let end = try await noteTenants("\(sql: later) ORDER BY id LIMIT \(Self.atOnce)::bigint")
        sweeps.withLock { sweeps in
            sweeps.position = end
            if end == nil { sweeps.all = now }
        }
    }

    /// - Parameter condition: and order.
    /// - Returns: the last one, where there are as many as are looked at together.
    @discardableResult
    private func noteTenants(_ condition: SQL) async throws -> TenantID? {
        let rows = try await pool.withConnection { connection in
            try await connection.query("SELECT id FROM tenant_admin.tenants WHERE \(sql: condition)")
        }
        let tenants = try rows.map { try $0.decode("id", as: TenantID.self) }
        moved.withLock { $0.formUnion(tenants) }
        return tenants.count >= Self.atOnce ? tenants.last : nil
    }

    /// A tenant whose chain cannot be signed now is tried again next time.
    /// - Throws: as `attemptEach`.
    func anchorMoved() async throws {
        let tenants = moved.withLock { $0 }
        try await tenants.attemptEach(logging: "Anchoring a tenant's audit head failed", to: logger) { tenant in
            // First: what is committed while the chain is read is noted again.
            moved.withLock { _ = $0.remove(tenant) }
            do {
                try await anchor(tenant)
            } catch {
                note(tenant)
                throw error
            }
        }
    }

    /// Signs where the tenant's chain ends now, unless that is signed already.
    /// - Throws: as ``requireRemembered(_:on:)``.
    func anchor(_ tenant: TenantID) async throws {
        let head: (seq: Int, hash: String)
        do {
            head = try await TenantDatabase(pool: pool).withAny(tenant, readOnly: true) { _, connection in
                try await connection.setLocal(settings: ["lock_timeout": Self.lockTimeout])
                let row = try await connection.query("SELECT seq, encode(hash, 'hex') AS hash FROM audit_head")[0]
                return (try row.decode("seq"), try row.decode("hash"))
            }
        } catch let problem as ProblemError where problem.status == .notFound {
            return
        }
        guard head.seq > 0, try await lastAnchored(tenant) < head.seq else { return }
        let moment = Date(timeIntervalSince1970: (Date().timeIntervalSince1970 * 1000).rounded(.down) / 1000)
        let statement = AuditHead.statement(
            tenantId: tenant, seq: head.seq, hash: head.hash, anchoredAt: moment)
        let (signature, keyID) = try signer.sign(statement)
        _ = try await pool.withConnection { connection in
            try await connection.query(
                """
                SELECT erm_audit.anchor(\(tenant), \(head.seq), decode(\(head.hash), 'hex'), \(moment), \(keyID),
                    \(signature))
                """)
        }
    }

    private func lastAnchored(_ tenant: TenantID) async throws -> Int {
        try await pool.withConnection { connection in
            try await Self.requireRemembered(tenant, on: connection)
            return try await connection.query(
                "SELECT coalesce(max(seq), 0) AS seq FROM erm_audit.heads WHERE tenant_id = \(tenant)")[0].decode("seq")
        }
    }

    /// Without heads any chain would fit.
    /// - Throws: 409 for a tenant under the id of one that was purged.
    private static func requireRemembered(_ tenant: TenantID, on connection: PostgresConnection) async throws {
        let isForgotten: Bool = try await connection.query("SELECT erm_audit.is_forgotten(\(tenant)) AS gone")[0]
            .decode("gone")
        guard !isForgotten else {
            throw ProblemError.conflict(
                "The signed heads of this tenant's audit log were removed as in a purge; nothing confirms its entries.")
        }
    }

    /// Newest first.
    /// - Throws: as ``requireRemembered(_:on:)``.
    func heads(of tenant: TenantID, limit: Int? = nil, before seq: Int? = nil) async throws -> [AuditHead] {
        let older: SQL = seq.map { "AND seq < \($0)" } ?? ""
        let page: SQL = limit.map { "LIMIT \($0)::bigint" } ?? ""
        return try await pool.withConnection { connection in
            try await Self.requireRemembered(tenant, on: connection)
            return try await connection.query(
                """
                SELECT seq, encode(hash, 'hex') AS hash, anchored_at, key_id, signature FROM erm_audit.heads
                WHERE tenant_id = \(tenant) \(sql: older) ORDER BY seq DESC \(sql: page)
                """
            ).map { row in
                AuditHead(
                    tenantId: tenant, seq: try row.decode("seq"), hash: try row.decode("hash"),
                    anchoredAt: try row.decode("anchored_at"), keyId: try row.decode("key_id"),
                    signature: try row.decode("signature"))
            }
        }
    }
}
