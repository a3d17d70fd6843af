/// The files of a tenant's export that are no import of a tenant's own, in the order in which they refer to each other:
/// `POST /tenants/{id}/archive?kind=`, for the platform operator.
public enum ArchiveKind: String, Codable, Sendable, CaseIterable {
    /// The ids that people, projects, bookings and departments keep. Restored before the other files are imported, because a
    /// resource that exists already has another id.
    case ids
    /// Afterwards the tenant has these roles, users, settings and reports of imports, and no others.
    case roles, users, settings, imports
    /// Earlier tenants' audit entries, then those of the tenant of the export: kept as they are beside the tenant's own.
    case archivedAuditLogs = "archived_audit_logs"
    case auditLogs = "audit_logs"
    /// Names of the numbers that models were asked with, and what was predicted, decided and said, and came of it.
    case predictionFeatures = "prediction_features"
    case predictions
    /// When models are trained again by themselves.
    case trainingSchedules = "training_schedules"
    /// Models with their cards and figures, their artefacts in pieces, and who deployed what: kept as they are, as records.
    case models
    case modelArtifacts = "model_artifacts"
    case deployments

    /// Who has such rows.
    public var service: ServiceName {
        switch self {
        case .ids, .roles, .users, .settings, .imports, .archivedAuditLogs, .auditLogs: .tenantAdmin
        case .predictionFeatures, .predictions: .mlPrediction
        case .trainingSchedules, .models, .modelArtifacts, .deployments: .mlTraining
        }
    }
}

/// A line of `GET /internal/v1/archives/{tenantId}`. An answer without its end was cut short.
public enum ArchiveLine: WireLine, Equatable {
    /// A line of the file, without its newline.
    case row(String)
    /// How many rows came before.
    case end(Int)

    private enum Key: String, CodingKey { case row, end }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Key.self)
        if let rows = try container.decodeIfPresent(Int.self, forKey: .end) {
            self = .end(rows)
        } else {
            self = .row(try container.decode(String.self, forKey: .row))
        }
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        switch self {
        case .row(let line): try container.encode(line, forKey: .row)
        case .end(let rows): try container.encode(rows, forKey: .end)
        }
    }
}

/// `POST /internal/v1/archives/{tenantId}`: some lines of one file, which may come again.
public struct ArchiveRows: RequestPayload {
    public let kind: ArchiveKind
    public let lines: [String]

    public init(kind: ArchiveKind, lines: [String]) {
        self.kind = kind
        self.lines = lines
    }

    public func validate(_ validation: inout Validation) {}
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
