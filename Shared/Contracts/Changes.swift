/// A kind of data that other services cache. A later release may announce kinds that are not known here.
public struct ChangeKind: RawRepresentable, Codable, Hashable, Sendable, CustomStringConvertible {
    public let rawValue: String
    public init(rawValue: String) { self.rawValue = rawValue }
    public var description: String { rawValue }

    /// `TenantSummary`; the subject is the subdomain.
    public static let tenant = Self(rawValue: "tenant")
    /// `UserGrants` of one user.
    public static let user = Self(rawValue: "user")
    /// `RoleGrants`, and with them what any user of the tenant may do.
    public static let roles = Self(rawValue: "roles")
    /// What the history feed tells of the tenant.
    public static let history = Self(rawValue: "history")
    /// Which models there are, and which one is deployed.
    public static let deployment = Self(rawValue: "deployment")
    /// A login, among the gateway's nodes.
    public static let session = Self(rawValue: "session")
    /// An API key, among the gateway's nodes; the subject is its digest in hex.
    public static let apiKey = Self(rawValue: "api_key")
}

/// One change of a tenant's.
public struct Change: Codable, Hashable, Sendable {
    public let kind: ChangeKind
    public let tenantId: TenantID
    /// Which one of its kind has changed; nil: any may have.
    public let subject: String?

    public init(_ kind: ChangeKind, of tenant: TenantID, subject: String? = nil) {
        self.kind = kind
        tenantId = tenant
        self.subject = subject
    }
}

/// `GET /internal/v1/changes?after=POSITION`: the changes since, in the order in which they became visible. An answer without
/// changes comes after 200 ms, as a sign of life.
public struct ChangeNews: Codable, Hashable, Sendable {
    /// The position of the newest change in the answer; the next request's `after`.
    public let position: String
    /// False when the feed does not continue from the requested position, as after a restore or a long absence, and when the
    /// request had none: changes may have been missed, and everything cached before the answer is invalid.
    public let isContinuous: Bool
    /// False when more changes are waiting already.
    public let isWhole: Bool
    public let changes: [Change]

    public init(position: String, isContinuous: Bool, isWhole: Bool, changes: [Change]) {
        self.position = position
        self.isContinuous = isContinuous
        self.isWhole = isWhole
        self.changes = changes
    }
}
