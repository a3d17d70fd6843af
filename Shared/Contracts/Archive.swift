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
    /// Names of the numbers that models were asked with, and what was predicted, decided and said, and came of it; what models in
    /// their shadow would have answered.
    case predictionFeatures = "prediction_features"
    case predictions
    case shadowAnswers = "shadow_answers"
    /// What had changed since models were trained. Alarms of an archive are not sent again.
    case driftAlarms = "drift_alarms"
    /// What models learned from: the datasets, their content in pieces (each content once, however many datasets have it), and which
    /// outcomes each holds.
    case datasets
    case datasetContent = "dataset_content"
    case datasetOutcomes = "dataset_outcomes"
    /// Jobs that have ended, with their epochs, and what back-tests came to.
    case trainingJobs = "training_jobs"
    case backtests
    /// Models with their cards and figures, and their artefacts in pieces. A model is there once its artefact is whole and has its
    /// digest.
    case models
    case modelArtifacts = "model_artifacts"
    /// Who deployed what, and the models that answered beside the deployed one.
    case deployments
    case shadows
    /// When models are trained again by themselves.
    case trainingSchedules = "training_schedules"

    /// Who has such rows.
    public var service: ServiceName {
        switch self {
        case .ids, .roles, .users, .settings, .imports, .archivedAuditLogs, .auditLogs: .tenantAdmin
        case .predictionFeatures, .predictions, .shadowAnswers, .driftAlarms: .mlPrediction
        case .datasets, .datasetContent, .datasetOutcomes, .trainingJobs, .backtests, .models, .modelArtifacts,
            .deployments, .shadows, .trainingSchedules:
            .mlTraining
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
    /// The number of the first of them in the file, from 1; nil where nobody has counted.
    public let firstLine: Int?
    /// The file ends with these lines.
    public let isEnd: Bool?

    public init(kind: ArchiveKind, lines: [String], firstLine: Int? = nil, isEnd: Bool? = nil) {
        self.kind = kind
        self.lines = lines
        self.firstLine = firstLine
        self.isEnd = isEnd
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
