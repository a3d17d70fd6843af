import Basics
import Contracts
import Crypto
import Forecasting
import HistoryFeed
import Postgres
import ServiceKit
import ServiceStorage

/// A part of a stored dataset: some of its lines, in their order.
struct StoredChunk: Sendable {
    /// Counted from 0 over the whole dataset.
    let firstLine: Int
    let lineCount: Int
    let content: [UInt8]

    var end: Int { firstLine + lineCount }

    /// Without the lines before one.
    func dropping(before line: Int) -> StoredChunk {
        guard line > firstLine else { return self }
        var start = content.startIndex
        for _ in firstLine..<line {
            guard let end = content[start...].firstIndex(of: UInt8(ascii: "\n")) else { break }
            start = end + 1
        }
        return StoredChunk(firstLine: line, lineCount: end - line, content: Array(content[start...]))
    }
}

/// The rows that datasets consist of, inside a tenant's unit of work: chunks that the tenant's datasets share, by digest, and which
/// chunks each dataset is made of.
enum DatasetChunks {
    /// Keeps chunks that are found here from being removed until the transaction ends.
    static func keepFound(of tenant: TenantID, _ connection: PostgresConnection) async throws {
        try await connection.execute("SELECT pg_advisory_xact_lock_shared(\(sql: lock(tenant)))")
    }

    /// Keeps others from finding chunks until the transaction ends.
    /// - Returns: whether nobody does so now.
    static func keepOthersOut(of tenant: TenantID, _ connection: PostgresConnection) async throws -> Bool {
        try await connection.query("SELECT pg_try_advisory_xact_lock(\(sql: lock(tenant)))")[0].decode(at: 0)
    }

    private static func lock(_ tenant: TenantID) -> SQL {
        "hashtextextended('dataset chunks of ' || \(tenant)::uuid::text, 0)"
    }

    /// Where in a dataset a chunk is.
    struct Place: Sendable {
        let firstLine: Int
        let lineCount: Int
        let sha256: String
    }

    /// A chunk on its way into the database.
    struct New: Sendable {
        let place: Place
        let text: String

        /// CPU work: call it off the cooperative pool.
        init(_ chunk: DatasetContent.Chunk, firstLine: Int) {
            place = Place(
                firstLine: firstLine, lineCount: chunk.lineCount, sha256: SHA256.hash(data: chunk.content).hex)
            text = String(decoding: chunk.content, as: UTF8.self)
        }
    }

    /// Puts chunks into a dataset.
    static func put(
        _ chunks: [New], into dataset: DatasetID, of tenant: TenantID, _ connection: PostgresConnection
    ) async throws {
        try await store(chunks, of: tenant, connection)
        try await use(chunks.map(\.place), in: dataset, of: tenant, connection)
    }

    /// Sends those that no dataset of the tenant has yet.
    static func store(_ chunks: [New], of tenant: TenantID, _ connection: PostgresConnection) async throws {
        let digests = chunks.map(\.place.sha256)
        let known = try await connection.query(
            """
            SELECT encode(sha256, 'hex') AS sha256 FROM dataset_chunks
            WHERE sha256 IN (SELECT decode(digest, 'hex') FROM unnest(\(digests)::text[]) digest)
            """)
        var found = Set(try known.map { try $0.decode("sha256", as: String.self) })
        // One chunk per statement: the memory of one, not of all encoded at once. As text, which is half as long as the text form of
        // bytes. Another transaction may have stored it meanwhile.
        for chunk in chunks where found.insert(chunk.place.sha256).inserted {
            try await connection.execute(
                """
                INSERT INTO dataset_chunks (tenant_id, sha256, content)
                VALUES (\(tenant), decode(\(chunk.place.sha256), 'hex'), convert_to(\(chunk.text), 'UTF8')) ON CONFLICT DO NOTHING
                """)
        }
    }

    /// Makes stored chunks a dataset's.
    static func use(
        _ chunks: [Place], in dataset: DatasetID, of tenant: TenantID, _ connection: PostgresConnection
    ) async throws {
        try await connection.execute(
            """
            INSERT INTO dataset_chunk_uses (tenant_id, dataset_id, first_line, line_count, sha256)
            SELECT \(tenant), \(dataset), first_line, line_count, decode(digest, 'hex')
            FROM unnest(\(chunks.map(\.firstLine))::int[], \(chunks.map(\.lineCount))::int[],
                    \(chunks.map(\.sha256))::text[])
                AS given (first_line, line_count, digest)
            """)
    }

    /// Removes those that no dataset has; others must be kept out.
    static func removeUnused(_ connection: PostgresConnection) async throws {
        try await connection.execute(
            """
            DELETE FROM dataset_chunks c WHERE NOT EXISTS (
                SELECT FROM dataset_chunk_uses u WHERE u.tenant_id = c.tenant_id AND u.sha256 = c.sha256)
            """)
    }

    /// Takes all lines from datasets; the chunks themselves are removed once no dataset has them.
    /// - Parameter datasets: a query that gives their ids.
    static func remove(of datasets: SQL, _ connection: PostgresConnection) async throws {
        try await connection.execute("DELETE FROM dataset_chunk_uses WHERE dataset_id IN (\(sql: datasets))")
        try await connection.execute("DELETE FROM former_dataset_chunks WHERE dataset_id IN (\(sql: datasets))")
    }

    /// A dataset's lines from one on, as many chunks as that; empty at the end. In whichever chunks they are stored by now: lines
    /// keep their numbers when a dataset is cut anew.
    /// - Parameter first: chunks of nothing but allocations are passed over up to the one with this line.
    static func read(
        _ dataset: DatasetID, from line: Int, skippingAllocationsBefore first: Int = 0, atMost count: Int,
        _ connection: PostgresConnection
    ) async throws -> [StoredChunk] {
        try await connection.query(
            """
            SELECT first_line, line_count, convert_from(content, 'UTF8') AS content FROM (
                SELECT first_line, line_count, content FROM training_dataset_chunks
                WHERE dataset_id = \(dataset) AND first_line + line_count > \(line)
                    AND (first_line + line_count > \(first) OR NOT is_allocations)
                ORDER BY first_line LIMIT \(count)) c
            ORDER BY first_line
            """
        ).map { row in
            StoredChunk(
                firstLine: try row.decode("first_line"), lineCount: try row.decode("line_count"),
                content: Array(try row.decode("content", as: String.self).utf8)
            ).dropping(before: line)
        }
    }
}
