import Contracts
import Foundation
import NIOCore
import Postgres
import ServiceKit
import ServiceStorage

/// Everything that one tenant has, as one ZIP archive.
///
/// A client takes an archive at its own pace. Rows are read at the database's pace, into a spool, and sent from there: no transaction and
/// no connection waits for a client.
struct TenantExport: Sendable {
    let tenants: Tenants
    let database: TenantDatabase
    let others: any ArchiveSources
    let space: SpoolSpace
    /// Of exports under way.
    let places: TenantPlaces
    /// To read this service's own rows.
    let turns: BulkTurns

    /// Names of files, without their ending, in the order of the archive.
    static let stems = ExportFile.all.map(\.stem) + foreign.map(\.rawValue)

    private static let foreign = ArchiveKind.allCases.filter { $0.service != .tenantAdmin }

    /// An export of which this service's own files have been read.
    struct UnderWay: Sendable {
        let tenant: Tenant
        fileprivate let only: Set<String>?
        fileprivate let place: TenantPlaces.Place
        fileprivate let spool: Spool
        fileprivate let writer: ArchiveWriter

        fileprivate func wants(_ stem: String) -> Bool { only?.contains(stem) ?? true }
    }

    /// Makes sure that there is such a tenant, writes into its audit log that it is exported, and reads this service's files of it, from
    /// one snapshot.
    /// - Parameter only: names of files without their ending, where some are enough: the rest of an export that was broken off.
    /// - Throws: 404; 413 for more than a tenant's exports may take; 429 when the tenant has enough exports under way; 503.
    func begin(
        _ tenant: TenantID, only: Set<String>? = nil, at moment: Date = Date(), by author: Author
    ) async throws -> UnderWay {
        let found = try await tenants.tenant(tenant)
        let place = try places.take(for: tenant)
        try await database.withAny(tenant) { _, connection in
            try await AuditLog.record(Change("export", "tenant", tenant.description), by: author, on: connection)
        }
        return try await turns.withTurn(for: tenant) {
            try await database.withAny(tenant, isolationLevel: .repeatableRead, readOnly: true) { _, connection in
                // Made in here: a transaction that is run again begins with nothing.
                let spool = Spool(in: space, of: tenant)
                var writer = ArchiveWriter(at: moment)
                try writer.add("tenant.json", found)
                for file in ExportFile.all where only?.contains(file.stem) ?? true {
                    writer.begin(file.name)
                    for try await row in connection.stream(file.query) {
                        if let piece = writer.append(try row.decode("line")) { try await spool.append(piece) }
                    }
                    writer.end(file.name)
                }
                return UnderWay(tenant: found, only: only, place: place, spool: spool, writer: writer)
            }
        }
    }

    /// Gives the archive, at the pace at which `write` takes it. Other services' files are read one after the other, each from one
    /// snapshot of its service and at that service's pace; what has come of a file is sent while the rest comes, so that even the
    /// largest does not make the answer silent for as long as its reading takes.
    /// - Throws: 413, 429 or 503 where there is no room for a file; 502, 503 or 504 where its service does not give it whole.
    func send(
        _ export: UnderWay, isolation: isolated (any Actor)? = #isolation, to write: (ByteBuffer) async throws -> Void
    ) async throws {
        defer { export.place.giveBack() }
        try await export.spool.pour(into: write)
        var writer = export.writer
        for kind in Self.foreign where export.wants(kind.rawValue) {
            let (others, tenant, before) = (others, export.tenant.id, writer)
            writer = try await Spool(in: space, of: tenant).pour(
                whileFilledBy: { append in
                    var writer = before
                    writer.begin("\(kind.rawValue).ndjson")
                    try await others.read(kind, of: tenant, isolation: nil) { line in
                        if let piece = writer.append(line) { try await append(piece) }
                    }
                    writer.end("\(kind.rawValue).ndjson")
                    return writer
                }, into: write)
        }
        try await write(ByteBuffer(bytes: writer.finish()))
    }
}
