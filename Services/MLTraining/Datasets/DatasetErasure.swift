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

    /// - Returns: whether nothing of the person is left and nothing can come any more. Otherwise the erasure is to be repeated: a job is
    ///   collecting or reading a dataset, another is being stored, or an archive restored.
    func erase(_ erasure: Erasure) async throws -> Bool {
        // Datasets hold no names: of a person who stays they hold what bookings and capacity do.
        guard erasure.isDeleted == true else { return true }
        let (person, tenant) = (erasure.employeeId, erasure.tenantId)
        // First: a job that begins later reads a history without the person.
        let isCollecting = try await isCollecting(tenant)
        var isDone = !isCollecting
        for dataset in try await datasets(about: person, of: tenant) {
            if try await !rewrite(dataset, without: person, of: tenant) { isDone = false }
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

    /// Whether a chunk may have lines about the person: what people have written cannot look like these fields, but for labels of
    /// such names.
    private static func isAbout(_ person: EmployeeID) -> SQL {
        let fields = ["employee", "id"].map { "\"\($0)\":\"\(person)\"" }
        return """
            (position(convert_to(\(fields[0]), 'UTF8') IN content) > 0 OR position(convert_to(\(fields[1]), 'UTF8') IN content) > 0)
            """
    }

    private func datasets(about person: EmployeeID, of tenant: TenantID) async throws -> [DatasetID] {
        let isAbout = Self.isAbout(person)
        return try await database.withTenantRows(tenant) { connection in
            try await connection.query(
                """
                SELECT id FROM training_datasets WHERE id IN (
                    SELECT dataset_id FROM former_dataset_chunks WHERE \(sql: isAbout)
                    UNION ALL
                    SELECT dataset_id FROM dataset_chunk_uses WHERE sha256 IN (
                        SELECT sha256 FROM dataset_chunks WHERE \(sql: isAbout)))
                ORDER BY created_at, id
                """
            ).map { try $0.decode("id") }
        }
    }

    /// - Returns: false where somebody needs the dataset as it is.
    private func rewrite(
        _ dataset: DatasetID, without person: EmployeeID, of tenant: TenantID
    ) async throws -> Bool {
        try await database.withTenantRows(tenant) { connection in
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
            var rest = DatasetRest(without: person, spanStart: try free.decode("span_start"))
            let chunks = try await Self.read(dataset, about: person, of: tenant, into: &rest, connection)
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
        _ dataset: DatasetID, about person: EmployeeID, of tenant: TenantID, into rest: inout DatasetRest,
        _ connection: PostgresConnection
    ) async throws -> [DatasetChunks.Place] {
        var (places, line) = ([DatasetChunks.Place](), 0)
        while true {
            let chunks = try await connection.query(
                """
                SELECT line_count, convert_from(content, 'UTF8') AS text, \(sql: isAbout(person)) AS is_about
                FROM training_dataset_chunks WHERE dataset_id = \(dataset) AND first_line >= \(line)
                ORDER BY first_line LIMIT \(chunksAtOnce)
                """
            ).map { row in
                line += try row.decode("line_count", as: Int.self)
                return (text: try row.decode("text", as: String.self), isAbout: try row.decode("is_about") as Bool)
            }
            let (new, further) = try await ComputeThread.run(named: "dataset") { [rest] in
                var rest = rest
                let new = chunks.isEmpty ? rest.end() : chunks.flatMap { rest.take($0.text, isAbout: $0.isAbout) }
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
                row_count = row_count - \(rest.removedPoints), forgotten_people = coalesce(forgotten_people, 0) + 1
            WHERE id = \(dataset)
            """)
        // A report counts the rows of each person.
        for reports in ["dataset_reports", "training_dataset_reports"] {
            try await connection.execute("DELETE FROM \(identifier: reports) WHERE dataset_id = \(dataset)")
        }
    }
}
