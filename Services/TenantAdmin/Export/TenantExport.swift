import Basics
import Contracts
import Crypto
import Foundation
import NIOCore
import Postgres
import ServiceKit
import ServiceStorage

/// Everything that one tenant has, as one ZIP archive.
struct TenantExport: Sendable {
    let tenants: Tenants
    let database: TenantDatabase

    /// Pieces of about this size are handed on.
    private static let chunkBytes = 64 * 1024

    /// Makes sure that there is such a tenant, and writes into its audit log that it is exported.
    /// - Throws: 404.
    func announce(_ tenant: TenantID, by author: Author) async throws -> Tenant {
        let found = try await tenants.tenant(tenant)
        try await database.withAny(tenant) { _, connection in
            try await AuditLog.record(Change("export", "tenant", tenant.description), by: author, on: connection)
        }
        return found
    }

    /// Gives the archive in bounded memory, from one snapshot, at the pace at which `write` takes it.
    /// - Parameter only: names of files without their ending, where some are enough: the rest of an export that was broken off.
    func send(
        _ tenant: Tenant, only: Set<String>? = nil, at moment: Date = Date(),
        isolation: isolated (any Actor)? = #isolation,
        to write: (ByteBuffer) async throws -> Void
    ) async throws {
        // Not to be run again: a part may have been sent.
        try await database.withAny(tenant.id, isolationLevel: .repeatableRead, readOnly: true, retries: 0) {
            _, connection in
            var zip = Self.archive(at: moment)
            var out: [UInt8] = []
            zip.begin("tenant.json", into: &out)
            zip.append(try WireJSON.encode(tenant), into: &out)
            zip.end(into: &out)
            var manifest: [ArchiveManifest.File] = []
            for file in ExportFile.all where only?.contains(file.stem) ?? true {
                var content = FileContent()
                zip.begin(file.name, into: &out)
                var lines: [UInt8] = []
                for try await row in connection.stream(file.query) {
                    lines += try row.decode("line", as: String.self).utf8
                    lines.append(UInt8(ascii: "\n"))
                    content.lines += 1
                    guard lines.count >= Self.chunkBytes else { continue }
                    content.hash.update(data: lines)
                    zip.append(lines, into: &out)
                    try await write(ByteBuffer(bytes: out))
                    lines.removeAll(keepingCapacity: true)
                    out.removeAll(keepingCapacity: true)
                }
                content.hash.update(data: lines)
                zip.append(lines, into: &out)
                zip.end(into: &out)
                manifest.append(content.entry(file.name))
            }
            zip.begin("manifest.json", into: &out)
            zip.append(try WireJSON.encode(ArchiveManifest(files: manifest)), into: &out)
            zip.end(into: &out)
            zip.finish(into: &out)
            try await write(ByteBuffer(bytes: out))
        }
    }

    private struct FileContent {
        var lines = 0
        var hash = SHA256()

        func entry(_ name: String) -> ArchiveManifest.File {
            ArchiveManifest.File(name: name, lines: lines, sha256: hash.finalize().hex)
        }
    }

    private static func archive(at moment: Date) -> ZipStream {
        let (year, month, day) = CivilDate(moment).components
        let seconds = Int(moment.timeIntervalSince(CivilDate(moment).startOfDay))
        return ZipStream(
            year: year, month: month, day: day, hour: seconds / 3600, minute: seconds / 60 % 60, second: seconds % 60)
    }
}
