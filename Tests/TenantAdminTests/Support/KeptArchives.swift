import Contracts
import ServiceKit
import Synchronization

@testable import TenantAdmin

/// The rows that other services have of tenants, in memory.
final class KeptArchives: ArchiveSources {
    private struct File: Hashable {
        let tenant: TenantID
        let kind: ArchiveKind
    }

    private let lines = Mutex<[File: [String]]>([:])
    /// Fails to give a file after so many lines.
    private let breaks = Mutex<(kind: ArchiveKind, after: Int)?>(nil)

    /// Done after each request of a restore.
    private let afterRestoring = Mutex<@Sendable () async throws -> Void>({})

    /// The latest request of a restore.
    var latest: ArchiveRows? { last.withLock { $0 } }
    private let last = Mutex<ArchiveRows?>(nil)

    func put(_ kind: ArchiveKind, _ rows: [String], of tenant: TenantID) {
        lines.withLock { $0[File(tenant: tenant, kind: kind)] = rows }
    }

    func breakOff(_ kind: ArchiveKind, after: Int) { breaks.withLock { $0 = (kind, after) } }

    func afterRestoring(_ action: @escaping @Sendable () async throws -> Void) {
        afterRestoring.withLock { $0 = action }
    }

    func read(
        _ kind: ArchiveKind, of tenant: TenantID, isolation: isolated (any Actor)?,
        _ body: (String) async throws -> Void
    ) async throws {
        let rows = lines.withLock { $0[File(tenant: tenant, kind: kind)] ?? [] }
        let broken = breaks.withLock { $0?.kind == kind ? $0?.after : nil }
        for (number, row) in rows.enumerated() {
            if number == broken { throw ProblemError.unavailable("The service is away.") }
            try await body(row)
        }
    }

    func restore(_ rows: ArchiveRows, into tenant: TenantID) async throws {
        last.withLock { $0 = rows }
        lines.withLock { lines in
            let file = File(tenant: tenant, kind: rows.kind)
            lines[file, default: []] += rows.lines.filter { !(lines[file] ?? []).contains($0) }
        }
        try await afterRestoring.withLock { $0 }()
    }
}
