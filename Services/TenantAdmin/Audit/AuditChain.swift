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
    /// Entries of an export that are read at a time, unless they are long.
    var pageEntries = 1000

    /// Of a page, about.
    private static let pageBytes = 1 << 20

    /// The public keys of those that have signed heads, as long as the installation has them.
    var keys: AuditKeys {
        AuditKeys(
            keys: verifier.publicKeys(of: .tenantAdmin).map { key in
                AuditKey(
                    kty: key.kty, crv: key.crv, alg: key.alg, use: key.use, kid: key.kid, x: key.x,
                    iss: key.iss.rawValue)
            })
    }

    /// Walks the whole chain, and compares it with every head, and personal values with their digests.
    func verification(of tenant: TenantID) async throws -> AuditVerification {
        // Heads first: the chain as it is read afterwards must hold all of them.
        let heads = try await anchors.heads(of: tenant)
        let (broken, wrong, confirmed, changed, missing) = try await database.withTenant(
            tenant, isolationLevel: .repeatableRead, readOnly: true
        ) { connection in
            let row = try await connection.query(
                """
                WITH compared AS (
                    SELECT h.seq, a.hash = decode(h.hash, 'hex') AS fits
                    FROM unnest(\(heads.map(\.seq))::bigint[], \(heads.map(\.hash))::text[]) h (seq, hash)
                        LEFT JOIN audit_logs a ON a.seq = h.seq),
                wrong AS (SELECT min(seq) AS seq FROM compared WHERE fits IS NOT true),
                personal AS (
                    SELECT a.seq, d.place, v.seq IS NOT NULL AS is_there, \(sql: PersonalValues.fits) AS fits
                    FROM audit_logs a CROSS JOIN jsonb_each_text(a.details -> 'sealed') d (place, digest)
                        LEFT JOIN audit_personal_values v ON v.seq = a.seq AND v.place = d.place),
                erased AS (
                    SELECT e.seq::bigint AS seq, p.place
                    FROM audit_logs a CROSS JOIN jsonb_each(a.details -> 'erased') p (place, entries)
                        CROSS JOIN jsonb_array_elements_text(p.entries) e (seq)
                    WHERE e.seq::bigint < a.seq),
                missing AS (SELECT seq, place FROM personal WHERE NOT is_there EXCEPT SELECT seq, place FROM erased)
                SELECT audit_first_break() AS broken, wrong.seq AS wrong,
                    (SELECT max(c.seq) FROM compared c WHERE wrong.seq IS NULL OR c.seq < wrong.seq) AS confirmed,
                    (SELECT count(*) FROM personal WHERE is_there AND fits IS NOT true) AS changed,
                    (SELECT count(*) FROM missing) AS missing
                FROM wrong
                """)[0]
            return (
                try row.decode("broken", as: Int?.self), try row.decode("wrong", as: Int?.self),
                try row.decode("confirmed", as: Int?.self), try row.decode("changed", as: Int.self),
                try row.decode("missing", as: Int.self)
            )
        }
        let findings = try await ComputeThread.run(named: "audit") { [verifier] in heads.map { verifier.check($0) } }
        // The entry that was changed lies after the last head that fits.
        let rewritten = wrong.map { _ in (confirmed ?? 0) + 1 }
        return AuditVerification(
            firstBrokenSeq: [broken, rewritten].compactMap(\.self).min(), confirmedSeq: confirmed,
            forgedHeads: findings.count { $0 == .forged }, headsOfUnknownKeys: findings.count { $0 == .unknownKey },
            changedValues: changed, missingValues: missing)
    }

    /// An export whose end is known.
    struct UnderWay: Sendable {
        fileprivate let tenant: TenantID
        fileprivate let heads: [AuditHead]
        /// The last entry of it, unless values are erased while it is read.
        fileprivate let last: Int?
    }

    /// Signs the chain as it is, and reads up to where an export of it goes.
    /// - Throws: 409 for a tenant under the id of one that was purged.
    func begin(_ tenant: TenantID) async throws -> UnderWay {
        try await anchors.anchor(tenant)
        // Heads first: the chain as it is read afterwards must hold all of them.
        let heads = try await anchors.heads(of: tenant)
        let last: Int? = try await database.withTenant(tenant, readOnly: true) { connection in
            try await connection.query("SELECT max(seq) AS seq FROM audit_logs")[0].decode("seq")
        }
        return UnderWay(tenant: tenant, heads: heads, last: last)
    }

    /// The chain and its heads as NDJSON of ``AuditExportLine``, to be checked by `ermctl audit verify`.
    ///
    /// Read page by page, at the pace at which `write` takes them: no transaction and no connection waits for a client. Entries stay as
    /// they are, so that the pages up to the entry that is the last one now are one state of the log. Where personal values are erased
    /// meanwhile, the export goes on up to the entry that says so.
    func send(
        _ export: UnderWay, isolation: isolated (any Actor)? = #isolation, to write: (ByteBuffer) async throws -> Void
    ) async throws {
        let (tenant, heads) = (export.tenant, export.heads)
        var (entries, position, end) = (0, Int?.none, export.last)
        while let last = end, position != last, let read = try await page(of: tenant, after: position, upTo: last) {
            try await ByteBuffer(bytes: read.lines).writeInPieces(to: write)
            entries += read.entries
            position = read.last
            end = read.erasure ?? end
        }
        var rest: [UInt8] = []
        for head in heads.reversed() { try Self.append(.head(head), to: &rest) }
        try Self.append(.end(AuditExportEnd(entries: entries, heads: heads.count)), to: &rest)
        try await ByteBuffer(bytes: rest).writeInPieces(to: write)
    }

    private struct ExportedPage {
        var lines: [UInt8] = []
        var entries = 0
        var last = 0
        /// A later entry that says which values are gone.
        var erasure: Int?
    }

    /// nil when there is no such entry.
    private func page(of tenant: TenantID, after position: Int?, upTo last: Int) async throws -> ExportedPage? {
        let later: SQL = position.map { "AND seq > \($0)" } ?? ""
        return try await database.withTenant(tenant, readOnly: true) { connection in
            var page = ExportedPage()
            for try await row in connection.stream(
                """
                SELECT seq, audit_canonical(a) AS canonical, encode(previous_hash, 'hex') AS previous_hash,
                    encode(hash, 'hex') AS hash, \(sql: PersonalValues.exported) AS personal
                FROM audit_logs a WHERE seq <= \(last) \(sql: later) ORDER BY seq LIMIT \(pageEntries)::bigint
                """)
            {
                page.last = try row.decode("seq")
                page.entries += 1
                let entry = AuditExportEntry(
                    seq: page.last, canonical: try row.decode("canonical"),
                    previousHash: try row.decode("previous_hash"), hash: try row.decode("hash"),
                    personal: try row.decode("personal", as: PostgresJSON<[String: PersonalValue]>?.self)?.value)
                try Self.append(.entry(entry), to: &page.lines)
                if page.lines.count >= Self.pageBytes { break }
            }
            // Asked afterwards: what is not in this page any more stands in one of these.
            page.erasure = try await connection.query(
                "SELECT max(seq) AS seq FROM audit_logs WHERE seq > \(last) AND details ? 'erased'")[0].decode("seq")
            return page.entries > 0 ? page : nil
        }
    }

    private static func append(_ line: AuditExportLine, to bytes: inout [UInt8]) throws {
        bytes += try WireJSON.encode(line)
        bytes.append(UInt8(ascii: "\n"))
    }
}
