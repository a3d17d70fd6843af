import Basics
import Contracts
import Crypto
import Postgres
import ServiceKit
import ServiceStorage

/// Chunks by the digest of a dataset's whole content, so that what several datasets hold is in the archive once. A chunk that stands
/// further up in the file is named by its digest: `{"of": dataset, "line": first, "lines": n, "repeats": sha256}`.
extension TrainingArchive {
    static let datasetContent = ArchivedFile(
        .datasetContent, parts: contentParts,
        keep: { rows, connection in
            try await DatasetChunks.keepFound(of: try await currentTenant(connection), connection)
            var arrivals = ArrivedContents()
            for chunk in try await ArchivedPieces.keep(
                rows, where: "EXISTS (SELECT FROM training_datasets d WHERE d.content_sha256 = p.owner)", connection)
            {
                try await arrivals.note(chunk.owner, line: chunk.line, connection)
                try await keep(chunk, connection)
                try await ArchivedPieces.drop(of: chunk.owner, chunk: chunk.ordinal, .datasetContent, connection)
            }
            try await keepRepeats(rows, &arrivals, connection)
            for arrival in arrivals.inOrder {
                if let refusal = try await settle(arrival, rows, connection) { return refusal }
            }
            guard rows.isEnd == true else { return nil }
            let broken = try await connection.query(
                """
                SELECT id FROM training_datasets d WHERE line_count <> (
                    SELECT sum(line_count) FROM training_dataset_chunks c WHERE c.dataset_id = d.id) LIMIT 1
                """)
            guard let row = broken.first else { return nil }
            return .validation(
                "dataset_content.ndjson", "ends before dataset \(try row.decode("id", as: DatasetID.self)) is whole")
        })

    private static func currentTenant(_ connection: PostgresConnection) async throws -> TenantID {
        try await connection.query("SELECT \(sql: tenant) AS id")[0].decode("id")
    }

    /// Datasets with a content of which not all lines are there.
    fileprivate static func waiting(for content: SQL) -> SQL {
        """
        SELECT d.tenant_id, d.id FROM training_datasets d WHERE d.content_sha256 = \(sql: content) AND d.line_count > (
            SELECT coalesce(sum(c.line_count), 0) FROM training_dataset_chunks c WHERE c.dataset_id = d.id)
        """
    }

    private static func keep(_ chunk: ArchivedPieces.Chunk, _ connection: PostgresConnection) async throws {
        let content = ArchivedPieces.content(of: chunk, .datasetContent)
        let waiting = waiting(for: "\(chunk.owner)")
        guard let line = chunk.firstLine else {
            // Of an archive of an earlier release: cut anew once the dataset is whole.
            try await connection.execute(
                """
                INSERT INTO training_dataset_chunks (tenant_id, dataset_id, ordinal, line_count, content)
                SELECT tenant_id, id, \(chunk.ordinal), \(optional: chunk.lines), \(sql: content) FROM (\(sql: waiting)) d
                """)
            return
        }
        try await connection.execute(
            """
            INSERT INTO dataset_chunks (tenant_id, sha256, content)
            SELECT \(sql: tenant), sha256(content), content FROM (SELECT \(sql: content) AS content) c
            WHERE EXISTS (\(sql: waiting)) ON CONFLICT DO NOTHING
            """)
        try await connection.execute(
            """
            INSERT INTO dataset_chunk_uses (tenant_id, dataset_id, first_line, line_count, sha256)
            SELECT tenant_id, id, \(line), \(optional: chunk.lines), sha256(\(sql: content)) FROM (\(sql: waiting)) d
            ON CONFLICT DO NOTHING
            """)
    }

    /// - Throws: 422 for a line that repeats what has not come before.
    private static func keepRepeats(
        _ rows: ArchiveRows, _ arrivals: inout ArrivedContents, _ connection: PostgresConnection
    ) async throws {
        let repeats: SQL = """
            (SELECT number, r.* FROM \(sql: rows.table), LATERAL (
                SELECT l ->> 'of' AS owner, (l ->> 'line')::int AS first_line, (l ->> 'lines')::int AS line_count,
                    decode(l ->> 'repeats', 'hex') AS sha256
                FROM (SELECT line::jsonb) j (l) WHERE l ? 'repeats') r) r
            """
        try await refuse(
            rows,
            where: """
                line::jsonb ? 'repeats' AND (
                    NOT EXISTS (SELECT FROM training_datasets WHERE content_sha256 = line::jsonb ->> 'of')
                    OR NOT EXISTS (SELECT FROM dataset_chunks WHERE sha256 = decode(line::jsonb ->> 'repeats', 'hex')))
                """, "repeats what has not come before it, or is of a dataset that has not been restored", connection)
        for row in try await connection.query(
            "SELECT owner, max(number) AS number FROM \(sql: repeats) GROUP BY owner ORDER BY 2")
        {
            try await arrivals.note(try row.decode("owner"), line: try row.decode("number"), connection)
        }
        try await connection.execute(
            """
            INSERT INTO dataset_chunk_uses (tenant_id, dataset_id, first_line, line_count, sha256)
            SELECT d.tenant_id, d.id, r.first_line, r.line_count, r.sha256
            FROM \(sql: repeats), LATERAL (\(sql: waiting(for: "r.owner"))) d
            ON CONFLICT DO NOTHING
            """)
    }

    /// Looks whether a content is whole now.
    /// - Returns: a refusal where it has not its digest; what has come of it is gone then.
    private static func settle(
        _ arrival: ArrivedContents.Arrival, _ rows: ArchiveRows, _ connection: PostgresConnection
    ) async throws -> ProblemError? {
        guard let dataset = arrival.datasets.first else { return nil }
        let isWaiting = try await connection.query("\(sql: waiting(for: "\(arrival.content)")) AND d.id = \(dataset)")
        if !isWaiting.isEmpty {
            try await connection.execute(
                """
                INSERT INTO restored_contents (tenant_id, content_sha256) VALUES (\(sql: tenant), \(arrival.content))
                ON CONFLICT DO NOTHING
                """)
            return nil
        }
        try await connection.execute("DELETE FROM restored_contents WHERE content_sha256 = \(arrival.content)")
        guard try await digest(of: dataset, connection) != arrival.content else { return nil }
        try await connection.execute(
            "DELETE FROM training_dataset_chunks WHERE dataset_id IN (SELECT unnest(\(arrival.datasets)::uuid[]))")
        return rows.refusal(
            line: arrival.line, "ends a dataset whose content has not the digest that datasets.ndjson gives")
    }

    /// nil when the chunks do not lie one behind the other, each with as many lines as it says.
    private static func digest(of dataset: DatasetID, _ connection: PostgresConnection) async throws -> String? {
        var (digest, line) = (SHA256(), 0)
        while true {
            let chunks = try await connection.query(
                """
                SELECT first_line, line_count, content FROM training_dataset_chunks
                WHERE dataset_id = \(dataset) AND first_line >= \(line) ORDER BY first_line LIMIT 16
                """)
            guard !chunks.isEmpty else { return digest.finalize().hex }
            for chunk in chunks {
                let (content, count) = (
                    try chunk.decode("content", as: [UInt8].self), try chunk.decode("line_count", as: Int.self)
                )
                guard try chunk.decode("first_line") == line,
                    content.count(where: { $0 == UInt8(ascii: "\n") }) == count
                else { return nil }
                digest.update(data: content)
                line += count
            }
        }
    }
}

/// The contents of which a request brought something, each with the datasets that wait for it.
private struct ArrivedContents {
    struct Arrival {
        let content: String
        let datasets: [DatasetID]
        /// The last line that is of it.
        var line: Int
    }

    private var arrivals: [String: Arrival] = [:]

    var inOrder: [Arrival] { arrivals.values.sorted { $0.line < $1.line } }

    /// Called before what the line brings is stored.
    mutating func note(_ content: String, line: Int, _ connection: PostgresConnection) async throws {
        if let known = arrivals[content] {
            arrivals[content]?.line = max(known.line, line)
            return
        }
        let waiting = try await connection.query(TrainingArchive.waiting(for: "\(content)"))
        arrivals[content] = Arrival(content: content, datasets: try waiting.map { try $0.decode("id") }, line: line)
    }
}
