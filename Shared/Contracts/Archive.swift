/// The files of a tenant's export that are no import of a tenant's own, in the order in which they refer to each other:
/// `POST /tenants/{id}/archive?kind=`, for the platform operator.
public enum ArchiveKind: String, Codable, Sendable, CaseIterable {
    /// Afterwards the tenant has these roles, users, settings and reports of imports, and no others.
    case roles, users, settings, imports
    /// Earlier tenants' audit entries, then those of the tenant of the export: kept as they are beside the tenant's own.
    case archivedAuditLogs = "archived_audit_logs"
    case auditLogs = "audit_logs"
}

/// What became of one file of an archive.
public struct ArchiveReport: Codable, Sendable, Equatable {
    public let kind: ArchiveKind
    /// Rows of the file.
    public let rows: Int

    public init(kind: ArchiveKind, rows: Int) {
        self.kind = kind
        self.rows = rows
    }
}

/// `manifest.json`, the last file of an export: what the others hold, so that two archives can be compared kind by kind.
public struct ArchiveManifest: Codable, Sendable, Equatable {
    public struct File: Codable, Sendable, Equatable {
        public let name: String
        public let lines: Int
        /// Of the file's bytes, in hexadecimal.
        public let sha256: String

        public init(name: String, lines: Int, sha256: String) {
            self.name = name
            self.lines = lines
            self.sha256 = sha256
        }
    }

    public let files: [File]

    public init(files: [File]) { self.files = files }
}
