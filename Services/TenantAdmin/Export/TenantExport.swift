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
    /// How often an answer that waits for its turn gives a sign of life: more often than a proxy, as the gateway, takes it for dead.
    var pulse = Duration.seconds(20)

    /// Names of files, without their ending, in the order of the archive.
    static let stems = ExportFile.all.map(\.stem) + foreign.map(\.rawValue)

    private static let foreign = ArchiveKind.allCases.filter { $0.service != .tenantAdmin }

    /// An export that may be sent.
    struct UnderWay: Sendable {
        let tenant: Tenant
        fileprivate let only: Set<String>?
        fileprivate let moment: Date
        fileprivate let place: TenantPlaces.Place

        fileprivate func wants(_ stem: String) -> Bool { only?.contains(stem) ?? true }
    }

    /// Makes sure that there is such a tenant and room for its export, and writes into its audit log that it is exported. Soon done: whatever
    /// takes long comes after the status, so that nobody takes the wait for a node that does not answer and asks another.
    /// - Parameter only: names of files without their ending, where some are enough: the rest of an export that was broken off.
    /// - Throws: 404; 429 when the tenant has enough exports under way; 503.
    func begin(
        _ tenant: TenantID, only: Set<String>? = nil, at moment: Date = Date(), by author: Author
    ) async throws -> UnderWay {
        let found = try await tenants.tenant(tenant)
        let place = try places.take(for: tenant)
        try space.requireRoom(for: tenant)
        try await database.withAny(tenant) { _, connection in
            try await AuditLog.record(Change("export", "tenant", tenant.description), by: author, on: connection)
        }
        return UnderWay(tenant: found, only: only, moment: moment, place: place)
    }

    /// Gives the archive, at the pace at which `write` takes it. This service's files are read together from one snapshot, when it is the
    /// tenant's turn, other services' files one after the other, each from one snapshot of its service. What has been read is sent while the
    /// rest is read, and reading waits for no client.
    /// - Throws: 413, 429 or 503 where there is no room for what was read; 502, 503 or 504 where a service does not give a file whole.
    func send(
        _ export: UnderWay, isolation: isolated (any Actor)? = #isolation, to write: (ByteBuffer) async throws -> Void
    ) async throws {
        defer { export.place.giveBack() }
        let tenant = export.tenant.id
        var writer = ArchiveWriter(at: export.moment)
        try writer.open("tenant.json", export.tenant)
        try await write(ByteBuffer(bytes: writer.take()))
        let own = ExportFile.all.filter { export.wants($0.stem) }
        if own.isEmpty {
            writer.close()
        } else {
            writer = try await sent(writer, of: tenant, to: write) { writer, append in
                let before = writer
                writer = try await turns.withTurn(
                    for: tenant, whileWaiting: { try await pulses(before, append) }
                ) { waited in
                    var writer = waited
                    writer.close()
                    try await read(own, of: tenant, into: &writer, append)
                    return writer
                }
            }
        }
        for kind in Self.foreign where export.wants(kind.rawValue) {
            writer = try await sent(writer, of: tenant, to: write) { writer, append in
                writer.begin("\(kind.rawValue).ndjson")
                try await others.read(kind, of: tenant, isolation: nil) { line in
                    if let piece = writer.append(line) { try await append(piece) }
                }
                writer.end("\(kind.rawValue).ndjson")
            }
        }
        try await write(ByteBuffer(bytes: writer.finish()))
    }

    private typealias Append = @Sendable ([UInt8]) async throws -> Void

    /// Appends what adds nothing to the file that is open, until cancelled.
    private func pulses(_ before: ArchiveWriter, _ append: Append) async throws -> ArchiveWriter {
        var writer = before
        while (try? await Task.sleep(for: pulse)) != nil { try await append(writer.pulse()) }
        return writer
    }

    private func read(
        _ files: [ExportFile], of tenant: TenantID, into writer: inout ArchiveWriter, _ append: Append
    ) async throws {
        // Not to be run again: a part may have been sent.
        writer = try await database.withAny(tenant, isolationLevel: .repeatableRead, readOnly: true, retries: 0) {
            [before = writer] _, connection in
            var writer = before
            for file in files {
                writer.begin(file.name)
                for try await row in connection.stream(file.query) {
                    if let piece = writer.append(try row.decode("line")) { try await append(piece) }
                }
                writer.end(file.name)
            }
            return writer
        }
    }

    /// Spools what `reading` appends and sends it meanwhile.
    /// - Returns: the writer after `reading`.
    private func sent(
        _ before: ArchiveWriter, of tenant: TenantID, isolation: isolated (any Actor)? = #isolation,
        to write: (ByteBuffer) async throws -> Void,
        reading: @escaping @Sendable (inout ArchiveWriter, @escaping Append) async throws -> Void
    ) async throws -> ArchiveWriter {
        try await Spool(in: space, of: tenant).pour(
            whileFilledBy: { append in
                var writer = before
                try await reading(&writer, append)
                return writer
            }, into: write)
    }
}
