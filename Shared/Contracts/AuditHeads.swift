public import Foundation

/// `GET /audit-logs/heads`: the newest link of a tenant's audit chain at a moment, signed with a key that is not the
/// database's. A kept copy proves later that no entry up to `seq` has been changed since.
public struct AuditHead: Codable, Sendable, Equatable {
    public let tenantId: TenantID
    public let seq: Int
    /// The entry's hash, in hexadecimal.
    public let hash: String
    public let anchoredAt: Date
    /// The key's thumbprint (RFC 7638); `GET /audit-logs/keys` has the public keys.
    public let keyId: String
    /// Ed25519 over ``statement``, in base64url.
    public let signature: String

    public init(tenantId: TenantID, seq: Int, hash: String, anchoredAt: Date, keyId: String, signature: String) {
        self.tenantId = tenantId
        self.seq = seq
        self.hash = hash
        self.anchoredAt = anchoredAt
        self.keyId = keyId
        self.signature = signature
    }

    /// What is signed.
    public var statement: String {
        Self.statement(tenantId: tenantId, seq: seq, hash: hash, anchoredAt: anchoredAt)
    }

    public static func statement(tenantId: TenantID, seq: Int, hash: String, anchoredAt: Date) -> String {
        "erm-audit-head.v1\n\(tenantId)\n\(seq)\n\(hash)\n\(WireJSON.timestamp(anchoredAt))\n"
    }
}

/// `GET /audit-logs/keys`: the public keys of those that sign heads (RFC 8037). Kept by themselves, and from early on, they confirm later
/// without the platform what the platform hands out.
public struct AuditKeys: Codable, Sendable, Equatable {
    public let keys: [AuditKey]

    public init(keys: [AuditKey]) { self.keys = keys }
}

/// An Ed25519 public key as a JSON Web Key.
public struct AuditKey: Codable, Sendable, Equatable {
    public let kty: String
    public let crv: String
    public let alg: String
    public let use: String
    /// What heads name as `keyId`.
    public let kid: String
    /// base64url of the 32 bytes of the public key.
    public let x: String
    /// The service whose key it is.
    public let iss: String

    public init(kty: String, crv: String, alg: String, use: String, kid: String, x: String, iss: String) {
        self.kty = kty
        self.crv = crv
        self.alg = alg
        self.use = use
        self.kid = kid
        self.x = x
        self.iss = iss
    }
}

/// `GET /audit-logs/verification`.
public struct AuditVerification: Codable, Sendable, Equatable {
    public let isWhole: Bool
    /// The first entry that may have been edited or is missing; nil when the chain is whole.
    public let firstBrokenSeq: Int?
    /// Up to this entry signed heads confirm the chain; later ones may have been rewritten as a whole. nil without any head.
    public let confirmedSeq: Int?
    /// Heads whose signature is not that of the key they name.
    public let forgedHeads: Int
    /// Heads signed by keys that are not in the services' key set any more; their hashes were compared all the same.
    public let headsOfUnknownKeys: Int
    /// Personal values that are not those whose digests were hashed.
    public let changedValues: Int
    /// Personal values that are gone, though no entry says that they were erased.
    public let missingValues: Int

    public init(
        firstBrokenSeq: Int?, confirmedSeq: Int? = nil, forgedHeads: Int = 0, headsOfUnknownKeys: Int = 0,
        changedValues: Int = 0, missingValues: Int = 0
    ) {
        self.isWhole = firstBrokenSeq == nil && forgedHeads == 0 && changedValues == 0 && missingValues == 0
        self.firstBrokenSeq = firstBrokenSeq
        self.confirmedSeq = confirmedSeq
        self.forgedHeads = forgedHeads
        self.headsOfUnknownKeys = headsOfUnknownKeys
        self.changedValues = changedValues
        self.missingValues = missingValues
    }
}

/// One line of `GET /audit-logs/export` (NDJSON): every entry in its order, then the signed heads, then the end, without which the
/// export is not whole.
public enum AuditExportLine: Codable, Sendable, Equatable {
    case entry(AuditExportEntry)
    case head(AuditHead)
    case end(AuditExportEnd)

    private enum Key: String, CodingKey { case entry, head, end }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Key.self)
        if let entry = try container.decodeIfPresent(AuditExportEntry.self, forKey: .entry) {
            self = .entry(entry)
        } else if let end = try container.decodeIfPresent(AuditExportEnd.self, forKey: .end) {
            self = .end(end)
        } else {
            self = .head(try container.decode(AuditHead.self, forKey: .head))
        }
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        switch self {
        case .entry(let entry): try container.encode(entry, forKey: .entry)
        case .head(let head): try container.encode(head, forKey: .head)
        case .end(let end): try container.encode(end, forKey: .end)
        }
    }
}

/// How many lines of an export come before its last.
public struct AuditExportEnd: Codable, Sendable, Equatable {
    public let entries: Int
    public let heads: Int

    public init(entries: Int, heads: Int) {
        self.entries = entries
        self.heads = heads
    }
}

/// An entry as it was hashed.
public struct AuditExportEntry: Codable, Sendable, Equatable {
    public let seq: Int
    /// A JSON array: seq, time, actor, action, entity, entity's id, details, request id and, where known, address and agent.
    public let canonical: String
    /// In hexadecimal; empty for the first entry.
    public let previousHash: String
    /// SHA-256 in hexadecimal over the bytes of the previous hash and the UTF-8 of `canonical`.
    public let hash: String
    /// By place, what stood where the details have a digest (``AuditDetails``); nil where no value is personal.
    public let personal: [String: PersonalValue]?

    public init(
        seq: Int, canonical: String, previousHash: String, hash: String, personal: [String: PersonalValue]? = nil
    ) {
        self.seq = seq
        self.canonical = canonical
        self.previousHash = previousHash
        self.hash = hash
        self.personal = personal
    }
}

/// A value of an audit entry that names a person. Its digest is hashed in its place, so that the value can be erased without
/// breaking the chain.
public struct PersonalValue: Codable, Sendable, Equatable {
    /// ``erased`` after its erasure.
    public let value: String
    /// Random bytes in hexadecimal, drawn for this value alone, so that its digest says nothing without them; nil after its erasure.
    public let salt: String?

    /// What is shown of a value that was erased.
    public static let erased = "erased"

    public init(value: String, salt: String?) {
        self.value = value
        self.salt = salt
    }
}
