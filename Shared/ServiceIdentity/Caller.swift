public import Contracts

/// Who sent an internal request, as its verified assertion says.
public struct Caller: Sendable, Hashable {
    /// The service that sent it.
    public let issuer: ServiceName
    /// The tenant on whose behalf; nil for the platform operator and for a service's own requests.
    public let tenant: TenantID?
    /// A user's id, `api-key:<id>`, `platform-operator`, or nil for the service itself.
    public let subject: String?
    /// What the subject may do inside the tenant.
    public let permissions: [Permission]
    /// Never true together with a tenant: a role inside a tenant, `*` included, is not the platform operator.
    public let isPlatformOperator: Bool

    public static let platformOperatorSubject = "platform-operator"

    public init(issuer: ServiceName, tenant: TenantID?, subject: String?, permissions: [Permission] = []) {
        self.init(
            issuer: issuer, tenant: tenant, subject: subject, permissions: permissions, isPlatformOperator: false)
    }

    /// The platform operator, whom only the gateway can know.
    public static let platformOperator = Caller(
        issuer: .gateway, tenant: nil, subject: platformOperatorSubject, permissions: [], isPlatformOperator: true)

    /// Of the permissions only how many there are: a caller may have hundreds of actions, and is looked up with every request.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(issuer)
        hasher.combine(tenant)
        hasher.combine(subject)
        hasher.combine(permissions.count)
        hasher.combine(isPlatformOperator)
    }

    init(issuer: ServiceName, tenant: TenantID?, subject: String?, permissions: [Permission], isPlatformOperator: Bool)
    {
        self.issuer = issuer
        self.tenant = tenant
        self.subject = subject
        self.permissions = permissions
        self.isPlatformOperator = isPlatformOperator
    }
}

/// The claims of an internal assertion (docs/architecture.md#internal-identity).
public struct AssertionClaims: Codable, Sendable, Hashable {
    public var iss: ServiceName
    public var aud: ServiceName
    /// Seconds since 1970.
    public var exp: Int
    public var iat: Int
    public var tenant: TenantID?
    public var sub: String?
    public var permissions: [Permission]?
    /// True for the platform operator, else absent.
    public var platform: Bool?

    public init(
        iss: ServiceName, aud: ServiceName, exp: Int, iat: Int, tenant: TenantID? = nil, sub: String? = nil,
        permissions: [Permission]? = nil, platform: Bool? = nil
    ) {
        self.iss = iss
        self.aud = aud
        self.exp = exp
        self.iat = iat
        self.tenant = tenant
        self.sub = sub
        self.permissions = permissions
        self.platform = platform
    }
}
