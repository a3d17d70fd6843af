import Contracts
import Hummingbird
import Postgres
public import ServiceKit

/// What a service gives of a tenant to an export of tenant-admin's, and takes back for a new tenant.
public struct ServiceArchive: Sendable {
    let database: ServiceDatabase
    let files: [ArchivedFile]

    /// Pieces of about this size are handed on.
    private static let chunkBytes = 64 * 1024

    public init(database: ServiceDatabase, files: [ArchivedFile]) {
        self.database = database
        self.files = files
    }

    /// - Throws: 422 for a file of another service.
    func file(_ kind: ArchiveKind) throws -> ArchivedFile {
        guard let file = files.first(where: { $0.kind == kind }) else {
            throw ProblemError.validation("kind", "is no file of this service")
        }
        return file
    }

    /// Gives the lines from one snapshot, at the pace at which `write` takes them: that of tenant-admin, which alone may ask and keeps them
    /// on a disk as they come. A client's pace would hold the connection, and vacuum back.
    func send(
        _ file: ArchivedFile, of tenant: TenantID, isolation: isolated (any Actor)? = #isolation,
        to write: (ByteBuffer) async throws -> Void
    ) async throws {
        // Not to be run again: a part may have been sent.
        try await database.withTenantRows(tenant, isolationLevel: .repeatableRead, readOnly: true, retries: 0) {
            connection in
            var (bytes, rows) = ([UInt8](), 0)
            for part in try await file.parts(connection) {
                for try await row in connection.stream(part) {
                    try ArchiveLine.row(try row.decode("line")).write(to: &bytes)
                    rows += 1
                    guard bytes.count >= Self.chunkBytes else { continue }
                    try await write(ByteBuffer(bytes: bytes))
                    bytes.removeAll(keepingCapacity: true)
                }
            }
            try ArchiveLine.end(rows).write(to: &bytes)
            try await write(ByteBuffer(bytes: bytes))
        }
    }

    /// - Throws: 422, with the line's number, for lines that are none of the kind or whose bytes have not their digest.
    func restore(_ rows: ArchiveRows, into tenant: TenantID) async throws -> ArchiveReport {
        let file = try file(rows.kind)
        do {
            if let refusal = try await database.withTenantRows(tenant, { try await file.keep(rows, $0) }) {
                throw refusal
            }
        } catch let error as PostgresError where ["22", "23"].contains(error.sqlState.map { String($0.prefix(2)) }) {
            throw rows.refusal
        }
        return ArchiveReport(kind: rows.kind, rows: rows.lines.count)
    }
}

/// What tenant-admin asks of a service for archives.
public struct InternalArchiveController: Controller {
    let archive: ServiceArchive

    public init(archive: ServiceArchive) { self.archive = archive }

    public static func addRoutes(to routes: inout RouteList<Self>) {
        routes.on(
            .get, "archives/{tenantId}", "sendArchivedRows", .services(.tenantAdmin, tenant: "tenantId"), use: send)
        routes.on(
            .post, "archives/{tenantId}", "keepArchivedRows", .services(.tenantAdmin, tenant: "tenantId"), use: keep)
    }

    private func send(_ call: Call<TenantID>, _ query: ArchiveQuery) async throws -> Download<NDJSON> {
        let (archive, tenant) = (archive, call.tenant)
        // Refused while there is still a status to refuse with.
        let file = try archive.file(query.kind)
        return Download(
            NDJSON.self,
            body: ResponseBody { writer in
                try await archive.send(file, of: tenant) { try await writer.write($0) }
                try await writer.finish(nil)
            })
    }

    private func keep(_ call: Call<TenantID>, _ rows: ArchiveRows) async throws -> OK<ArchiveReport> {
        OK(try await archive.restore(rows, into: call.tenant))
    }
}

struct ArchiveQuery: RouteQuery {
    let kind: ArchiveKind

    init(_ query: inout QueryParameters) { kind = query.requiredChoice("kind") }
}
