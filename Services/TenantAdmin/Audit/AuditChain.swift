import Contracts
import NIOCore
import Postgres
import ServiceIdentity
import ServiceKit

/// A tenant's whole audit chain, held against its signed heads.
struct AuditChain: Sendable {
    let database: TenantDatabase
    let anchors: AuditAnchors
    let verifier: StatementVerifier

    private static let chunkBytes = 64 * 1024

    /// Walks the whole chain, and compares it with every head.
    func verification(of tenant: TenantID) async throws -> AuditVerification {
        // Heads first: the chain as it is read afterwards must hold all of them.
        let heads = try await anchors.heads(of: tenant)
        let (broken, wrong, confirmed) = try await database.withTenant(
            tenant, isolationLevel: .repeatableRead, readOnly: true
        ) { connection in
            let row = try await connection.query(
                """
                WITH compared AS (
                    SELECT h.seq, a.hash = decode(h.hash, 'hex') AS fits
                    FROM unnest(\(heads.map(\.seq))::bigint[], \(heads.map(\.hash))::text[]) h (seq, hash)
                        LEFT JOIN audit_logs a ON a.seq = h.seq),
                wrong AS (SELECT min(seq) AS seq FROM compared WHERE fits IS NOT true)
                SELECT audit_first_break() AS broken, wrong.seq AS wrong,
                    (SELECT max(c.seq) FROM compared c WHERE wrong.seq IS NULL OR c.seq < wrong.seq) AS confirmed
                FROM wrong
                """)[0]
            return (
                try row.decode("broken", as: Int?.self), try row.decode("wrong", as: Int?.self),
                try row.decode("confirmed", as: Int?.self)
            )
        }
        let findings = try await ComputeThread.run(named: "audit") { [verifier] in heads.map { verifier.check($0) } }
        // The entry that was changed lies after the last head that fits.
        let rewritten = wrong.map { _ in (confirmed ?? 0) + 1 }
        return AuditVerification(
            firstBrokenSeq: [broken, rewritten].compactMap(\.self).min(), confirmedSeq: confirmed,
            forgedHeads: findings.count { $0 == .forged }, headsOfUnknownKeys: findings.count { $0 == .unknownKey })
    }

    /// The chain and its heads as NDJSON of ``AuditExportLine``, to be checked by `ermctl audit verify`.
    func export(
        _ tenant: TenantID, isolation: isolated (any Actor)? = #isolation, to write: (ByteBuffer) async throws -> Void
    ) async throws {
        try await anchors.anchor(tenant)
        let heads = try await anchors.heads(of: tenant)
        // Not to be run again: a part may have been sent.
        try await database.withTenant(tenant, isolationLevel: .repeatableRead, readOnly: true, retries: 0) {
            connection in
            var bytes: [UInt8] = []
            func append(_ line: AuditExportLine) async throws {
                bytes += try WireJSON.encode(line)
                bytes.append(UInt8(ascii: "\n"))
                guard bytes.count >= Self.chunkBytes else { return }
                try await write(ByteBuffer(bytes: bytes))
                bytes.removeAll(keepingCapacity: true)
            }
            let rows = connection.stream(
                """
                SELECT seq, audit_canonical(a) AS canonical, encode(previous_hash, 'hex') AS previous_hash,
                    encode(hash, 'hex') AS hash
                FROM audit_logs a ORDER BY seq
                """)
            var entries = 0
            for try await row in rows {
                entries += 1
                try await append(
                    .entry(
                        AuditExportEntry(
                            seq: try row.decode("seq"), canonical: try row.decode("canonical"),
                            previousHash: try row.decode("previous_hash"), hash: try row.decode("hash"))))
            }
            for head in heads.reversed() { try await append(.head(head)) }
            try await append(.end(AuditExportEnd(entries: entries, heads: heads.count)))
            try await write(ByteBuffer(bytes: bytes))
        }
    }
}
