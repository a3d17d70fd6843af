import Contracts
import Postgres
import ServiceKit
import ServiceStorage

/// Bytes that are too long for a line: pieces of a chunk, each with its digest, in lines of
/// `{"of": owner, "ordinal": chunk, "piece": 0…, "pieces": n, "sha256": …, "content": hex}`.
enum ArchivedPieces {
    /// A piece becomes twice as long as text, and a request of the restoring service holds a mebibyte.
    private static let size: SQL = "262144"

    /// A chunk whose last piece has come.
    struct Chunk {
        /// Of the line with the last piece.
        let line: Int
        let owner: String
        let ordinal: Int
        /// Of the chunk's content, for those that count them.
        let lines: Int?
        /// Where the chunk begins, for those that say so.
        let firstLine: Int?
    }

    /// The lines of one chunk.
    /// - Parameter chunk: a query that gives it as (owner, ordinal, content, more); `more` is added to each line.
    static func lines(of chunk: SQL) -> SQL {
        """
        SELECT (jsonb_build_object('of', owner, 'ordinal', ordinal, 'piece', piece, 'pieces', pieces,
            'sha256', encode(sha256(part), 'hex'), 'content', encode(part, 'hex')) || more)::text AS line
        FROM (\(sql: chunk)) c (owner, ordinal, content, more)
            CROSS JOIN LATERAL (SELECT greatest(1, (octet_length(content) + \(sql: size) - 1) / \(sql: size)) AS pieces) n
            CROSS JOIN LATERAL generate_series(0, pieces - 1) piece
            CROSS JOIN LATERAL (SELECT substr(content, piece * \(sql: size) + 1, \(sql: size)) AS part) p
        ORDER BY piece
        """
    }

    /// Keeps the pieces, and gives the chunks that are whole with them, in their order. ``content(of:_:)`` has a chunk's bytes.
    /// - Parameter owners: which owners there are, as a condition on `p.owner`.
    /// - Throws: 422 for a piece that has not its digest, of an unknown owner, or that comes before others of its chunk.
    static func keep(
        _ rows: ArchiveRows, where owners: SQL, _ connection: PostgresConnection
    ) async throws -> [Chunk] {
        let pieces = pieces(rows)
        try await refuse(
            rows, "encode(sha256(decode(p.content, 'hex')), 'hex') IS DISTINCT FROM p.sha256",
            "is damaged: its bytes have not the digest that it gives", connection)
        try await refuse(rows, "NOT (\(sql: owners))", "is of something that has not been restored", connection)
        try await connection.execute(
            """
            INSERT INTO restored_pieces (tenant_id, kind, owner, ordinal, piece, content)
            SELECT \(sql: TrainingArchive.tenant), \(rows.kind.rawValue), p.owner, p.ordinal, p.piece, decode(p.content, 'hex')
            FROM \(sql: pieces) ON CONFLICT DO NOTHING
            """)
        let last = try await connection.query(
            """
            SELECT number, p.owner, p.ordinal, p.lines, p.first_line, p.pieces = (SELECT count(*) FROM restored_pieces r
                WHERE r.kind = \(rows.kind.rawValue) AND r.owner = p.owner AND r.ordinal = p.ordinal) AS is_whole
            FROM \(sql: pieces) WHERE p.piece = p.pieces - 1 ORDER BY number
            """)
        return try last.map { row in
            let line: Int = try row.decode("number")
            guard try row.decode("is_whole") else {
                throw rows.refusal(line: line, "comes without the pieces before it")
            }
            return Chunk(
                line: line, owner: try row.decode("owner"), ordinal: try row.decode("ordinal"),
                lines: try row.decode("lines"), firstLine: try row.decode("first_line"))
        }
    }

    /// The bytes of a whole chunk, as an expression.
    static func content(of chunk: Chunk, _ kind: ArchiveKind) -> SQL {
        """
        (SELECT string_agg(content, ''::bytea ORDER BY piece) FROM restored_pieces
            WHERE kind = \(kind.rawValue) AND owner = \(chunk.owner) AND ordinal = \(chunk.ordinal))
        """
    }

    /// - Parameter chunk: only this one's; nil for all of the owner.
    static func drop(
        of owner: String, chunk ordinal: Int? = nil, _ kind: ArchiveKind, _ connection: PostgresConnection
    ) async throws {
        try await connection.execute(
            """
            DELETE FROM restored_pieces WHERE kind = \(kind.rawValue) AND owner = \(owner)
                AND (\(optional: ordinal)::int IS NULL OR ordinal = \(optional: ordinal))
            """)
    }

    private static func pieces(_ rows: ArchiveRows) -> SQL {
        """
        (SELECT number, p.* FROM \(sql: rows.table), LATERAL (
            SELECT l ->> 'of' AS owner, (l ->> 'ordinal')::int AS ordinal, (l ->> 'piece')::int AS piece,
                (l ->> 'pieces')::int AS pieces, (l ->> 'lines')::int AS lines, (l ->> 'line')::int AS first_line,
                l ->> 'sha256' AS sha256, l ->> 'content' AS content
            FROM (SELECT line::jsonb) j (l) WHERE l ? 'of' AND NOT l ? 'repeats') p) p
        """
    }

    private static func refuse(
        _ rows: ArchiveRows, _ condition: SQL, _ reason: String, _ connection: PostgresConnection
    ) async throws {
        let found = try await connection.query(
            "SELECT number FROM \(sql: pieces(rows)) WHERE \(sql: condition) ORDER BY number LIMIT 1")
        if let row = found.first { throw rows.refusal(line: try row.decode("number"), reason) }
    }
}
