import Basics
import Contracts
import Forecasting
import Foundation
import HistoryFeed
import Postgres
import ServiceKit
import ServiceStorage

/// Takes deleted people out of datasets: their bookings with all that these said, their weekly hours and their days of capacity. A dataset's
/// digest and counts are of what is left. Models hold nothing of single people.
struct DatasetErasure: Sendable {
    let database: ServiceDatabase

    /// Each chunk is searched for each of so many people; the others' turn comes next time.
    private static let peopleAtOnce = 100

    /// - Parameter people: of one tenant.
    /// - Returns: those of whom nothing is left and nothing can come any more. For the others the erasure is to be repeated: a job is
    ///   collecting or reading a dataset, another is being stored, or an archive restored.
    func erase(_ people: [Erasure]) async throws -> [Erasure] {
        let deleted = Array(people.filter { $0.isDeleted == true }.prefix(Self.peopleAtOnce))
        // Datasets hold no names: of a person who stays they hold what bookings and capacity do.
        let others = people.filter { $0.isDeleted != true }
        guard let tenant = deleted.first?.tenantId else { return others }
        return try await erase(Set(deleted.map(\.employeeId.description)), of: tenant) ? deleted + others : others
    }

    /// - Returns: whether all of it is done.
    private func erase(_ people: Set<String>, of tenant: TenantID) async throws -> Bool {
        // First: a job that begins later reads a history without these people.
        let isCollecting = try await isCollecting(tenant)
        var isDone = !isCollecting
        let others = try await chunksOfOthers(than: people, of: tenant)
        for dataset in try await datasets(about: people, chunksOfOthers: others, of: tenant) {
            if try await !rewrite(dataset, without: people, chunksOfOthers: others, of: tenant) { isDone = false }
        }
        let isSwept = try await database.withTenantRows(tenant) { connection in
            guard try await DatasetChunks.keepOthersOut(of: tenant, connection) else { return false }
            try await DatasetChunks.removeUnused(connection)
            return true
        }
        return isDone && isSwept
    }

    private func isCollecting(_ tenant: TenantID) async throws -> Bool {
        try await database.withTenantRows(tenant) { connection in
            try await connection.query(
                "SELECT EXISTS (SELECT FROM jobs WHERE status = 'running' AND dataset_id IS NULL) AS is_collecting"
            )[0].decode("is_collecting")
        }
    }

    /// Whether a chunk names one of the people.
    private static func names(_ people: Set<String>) -> SQL {
        """
        EXISTS (SELECT FROM unnest(\(Array(people))::text[]) person WHERE position(convert_to(person, 'UTF8') IN content) > 0)
        """
    }

    /// Digests of chunks without lines about the people. Each chunk is searched once, in however many datasets it is.
    private func chunksOfOthers(than people: Set<String>, of tenant: TenantID) async throws -> Set<String> {
        try await database.withTenantRows(tenant, readOnly: true) { connection in
            let rows = try await connection.query(
                "SELECT encode(sha256, 'hex') AS sha256 FROM dataset_chunks WHERE NOT \(sql: Self.names(people))")
            return Set(try rows.map { try $0.decode("sha256", as: String.self) })
        }
    }

    private func datasets(
        about people: Set<String>, chunksOfOthers others: Set<String>, of tenant: TenantID
    ) async throws -> [DatasetID] {
        try await database.withTenantRows(tenant, readOnly: true) { connection in
            // Of those that were cut anew meanwhile the chunks are not among the others'.
            try await connection.query(
                """
                SELECT id FROM training_datasets WHERE id IN (
                    SELECT dataset_id FROM former_dataset_chunks WHERE \(sql: Self.names(people))
                    UNION ALL
                    SELECT dataset_id FROM dataset_chunk_uses WHERE sha256 NOT IN (
                        SELECT decode(digest, 'hex') FROM unnest(\(Array(others))::text[]) digest))
                ORDER BY created_at, id
                """
            ).map { try $0.decode("id") }
        }
    }

    /// - Returns: false where somebody needs the dataset as it is.
    private func rewrite(
        _ dataset: DatasetID, without people: Set<String>, chunksOfOthers others: Set<String>, of tenant: TenantID
    ) async throws -> Bool {
        try await database.withTenantRows(tenant) { connection in
            try await connection.setLocal(settings: ["lock_timeout": PersonErasures.lockTimeout])
            try await DatasetChunks.keepFound(of: tenant, connection)
            let free = try await connection.query(
                """
                SELECT content_sha256, span_start FROM training_datasets d WHERE id = \(dataset)
                    AND NOT EXISTS (SELECT FROM jobs j WHERE j.dataset_id = d.id AND j.status IN ('queued', 'running'))
                    AND content_sha256 NOT IN (SELECT content_sha256 FROM restored_contents)
                FOR NO KEY UPDATE OF d
                """
            ).first
            guard let free else { return false }
            var rest = DatasetRest(without: people, spanStart: try free.decode("span_start"))
            let chunks = try await Self.read(dataset, chunksOfOthers: others, of: tenant, into: &rest, connection)
            guard try rest.formerSHA256 == free.decode("content_sha256", as: String.self) else {
                // Damaged, so that nobody can read it any more.
                try await DatasetChunks.remove(of: "SELECT \(dataset)::uuid", connection)
                return true
            }
            guard rest.removedLines > 0 else { return true }
            try await DatasetChunks.remove(of: "SELECT \(dataset)::uuid", connection)
            try await DatasetChunks.use(chunks, in: dataset, of: tenant, connection)
            try await Self.write(rest, of: dataset, connection)
            return true
        }
    }

    /// Stores the chunks of what is left.
    private static func read(
        _ dataset: DatasetID, chunksOfOthers others: Set<String>, of tenant: TenantID, into rest: inout DatasetRest,
        _ connection: PostgresConnection
    ) async throws -> [DatasetChunks.Place] {
        var (places, line) = ([DatasetChunks.Place](), 0)
        while true {
            let chunks = try await connection.query(
                """
                SELECT c.line_count, convert_from(c.content, 'UTF8') AS text, encode(u.sha256, 'hex') AS sha256
                FROM training_dataset_chunks c
                    LEFT JOIN dataset_chunk_uses u ON u.dataset_id = c.dataset_id AND u.first_line = c.first_line
                WHERE c.dataset_id = \(dataset) AND c.first_line >= \(line)
                ORDER BY c.first_line LIMIT \(chunksAtOnce)
                """
            ).map { row in
                line += try row.decode("line_count", as: Int.self)
                let isOthers = try row.decode("sha256", as: String?.self).map(others.contains) ?? false
                return (text: try row.decode("text", as: String.self), isOthers: isOthers)
            }
            let (new, further) = try await ComputeThread.run(named: "dataset") { [rest] in
                var rest = rest
                let new = chunks.isEmpty ? rest.end() : chunks.flatMap { rest.take($0.text, isOthers: $0.isOthers) }
                return (new, rest)
            }
            rest = further
            try await DatasetChunks.store(new, of: tenant, connection)
            places += new.map(\.place)
            if chunks.isEmpty { return places }
        }
    }

    /// Some megabytes.
    private static let chunksAtOnce = 32

    private static func write(
        _ rest: DatasetRest, of dataset: DatasetID, _ connection: PostgresConnection
    ) async throws {
        try await connection.setLocal(settings: ["erm.forgets_person": "on"])
        try await connection.execute(
            """
            UPDATE training_datasets SET content_sha256 = \(rest.sha256), line_count = line_count - \(rest.removedLines),
                row_count = row_count - \(rest.removedPoints), forgotten_people = coalesce(forgotten_people, 0) + \(rest.removedPeople.count)
            WHERE id = \(dataset)
            """)
        // A report counts the rows of each person.
        for reports in ["dataset_reports", "training_dataset_reports"] {
            try await connection.execute("DELETE FROM \(identifier: reports) WHERE dataset_id = \(dataset)")
        }
    }
}
