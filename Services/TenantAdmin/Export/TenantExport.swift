import Contracts
import Foundation
import NIOCore
import Postgres
import ServiceKit
import ServiceStorage

/// Everything that one tenant has, as one ZIP archive.
struct TenantExport: Sendable {
    let tenants: Tenants
    let database: TenantDatabase
    let others: any ArchiveSources

    /// Names of files, without their ending, in the order of the archive.
    static let stems = ExportFile.all.map(\.stem) + foreign.map(\.rawValue)

    private static let foreign = ArchiveKind.allCases.filter { $0.service != .tenantAdmin }

    /// Makes sure that there is such a tenant, and writes into its audit log that it is exported.
    /// - Throws: 404.
    func announce(_ tenant: TenantID, by author: Author) async throws -> Tenant {
        let found = try await tenants.tenant(tenant)
        try await database.withAny(tenant) { _, connection in
            try await AuditLog.record(Change("export", "tenant", tenant.description), by: author, on: connection)
        }
        return found
    }

    /// Gives the archive in bounded memory, from one snapshot of each service, at the pace at which `write` takes it.
    /// - Parameter only: names of files without their ending, where some are enough: the rest of an export that was broken off.
    func send(
        _ tenant: Tenant, only: Set<String>? = nil, at moment: Date = Date(),
        isolation: isolated (any Actor)? = #isolation,
        to write: (ByteBuffer) async throws -> Void
    ) async throws {
        var writer = ArchiveWriter(at: moment)
        try writer.add("tenant.json", tenant)
        // Not to be run again: a part may have been sent.
        writer = try await database.withAny(tenant.id, isolationLevel: .repeatableRead, readOnly: true, retries: 0) {
            [writer] _, connection in
            var writer = writer
            for file in ExportFile.all where only?.contains(file.stem) ?? true {
                writer.begin(file.name)
                for try await row in connection.stream(file.query) {
                    if let piece = writer.append(try row.decode("line")) { try await write(piece) }
                }
                writer.end(file.name)
            }
            return writer
        }
        // Outside of the transaction, which would hold vacuum back.
        for kind in Self.foreign where only?.contains(kind.rawValue) ?? true {
            let name = "\(kind.rawValue).ndjson"
            writer.begin(name)
            try await others.read(kind, of: tenant.id, isolation: isolation) { line in
                if let piece = writer.append(line) { try await write(piece) }
            }
            writer.end(name)
        }
        try await write(writer.finish())
    }
}
