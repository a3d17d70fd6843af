public import Foundation

// MARK: Public: logging in

/// `POST /auth/login`. The tenant comes from the subdomain or `X-Tenant-ID`.
public struct LoginRequest: RequestPayload {
    public let email: String
    public let password: String

    public init(email: String, password: String) {
        self.email = email
        self.password = password
    }

    public func validate(_ validation: inout Validation) {
        validation.email(email, "email")
        validation.length(password, 1...1024, "password")
        validation.require(password.utf8.count <= 1024, "password", "must be at most 1024 bytes long")
    }
}

/// `POST /auth/refresh` and `POST /auth/logout`.
public struct RefreshRequest: RequestPayload {
    public let refreshToken: String

    public init(refreshToken: String) { self.refreshToken = refreshToken }

    public func validate(_ validation: inout Validation) {
        validation.length(refreshToken, 1...512, "refreshToken")
    }
}

/// What a login or a refresh gives.
public struct TokenResponse: Codable, Sendable {
    public let accessToken: String
    /// Empty in a browser's session, whose refresh token is in a cookie that no script can read.
    public let refreshToken: String
    /// Always `Bearer`.
    public let tokenType: String
    /// Seconds until the access token expires.
    public let expiresIn: Int
    public let tenantId: TenantID

    public init(accessToken: String, refreshToken: String, expiresIn: Int, tenantId: TenantID) {
        self.accessToken = accessToken
        self.refreshToken = refreshToken
        self.tokenType = "Bearer"
        self.expiresIn = expiresIn
        self.tenantId = tenantId
    }

    public var withoutRefreshToken: TokenResponse {
        TokenResponse(accessToken: accessToken, refreshToken: "", expiresIn: expiresIn, tenantId: tenantId)
    }
}

/// `GET /auth/me`.
public struct CurrentPrincipal: Codable, Sendable {
    /// `user`, `api_key` or `platform_operator`.
    public let kind: String
    /// The user's or the key's id; nil for the platform operator.
    public let id: UUID?
    public let email: String?
    public let name: String?
    public let tenant: TenantSummary?
    /// Of the tenant's civil dates, told to all its users and keys: a name such as `Europe/Berlin`. nil for the platform operator, and while
    /// tenant-admin does not tell it.
    public let timeZone: String?
    public let roles: [String]
    public let permissions: [Permission]

    public init(
        kind: String, id: UUID?, email: String?, name: String?, tenant: TenantSummary?, timeZone: String? = nil,
        roles: [String], permissions: [Permission]
    ) {
        self.kind = kind
        self.id = id
        self.email = email
        self.name = name
        self.tenant = tenant
        self.timeZone = timeZone
        self.roles = roles
        self.permissions = permissions
    }

    /// The id as all ids are written; a bare UUID would be in upper case.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(kind, forKey: .kind)
        try container.encodeIfPresent(id?.uuidString.lowercased(), forKey: .id)
        try container.encodeIfPresent(email, forKey: .email)
        try container.encodeIfPresent(name, forKey: .name)
        try container.encodeIfPresent(tenant, forKey: .tenant)
        try container.encodeIfPresent(timeZone, forKey: .timeZone)
        try container.encode(roles, forKey: .roles)
        try container.encode(permissions, forKey: .permissions)
    }
}

// MARK: Public: API keys

/// `POST /api-keys`. A key may hold no role its maker does not hold.
public struct CreateAPIKeyRequest: RequestPayload {
    public let name: String
    /// Names of the tenant's roles; at least one.
    public let roles: [String]
    /// 1…3650; nil for 90.
    public let expiresInDays: Int?

    public init(name: String, roles: [String], expiresInDays: Int? = nil) {
        self.name = name
        self.roles = roles
        self.expiresInDays = expiresInDays
    }

    public func validate(_ validation: inout Validation) {
        validation.text(name, "name")
        validation.tags(roles, "roles", 1...20)
        validation.range(expiresInDays, 1...3650, "expiresInDays")
    }
}

public struct APIKeySummary: Codable, Sendable {
    public let id: APIKeyID
    public let name: String
    public let roles: [String]
    public let createdAt: Date
    public let expiresAt: Date
    public let lastUsedAt: Date?
    /// Who has made it: a user's id or `api-key:<id>`.
    public let createdBy: String?
    /// Whether that user has been deactivated or deleted, or that key revoked; the key itself goes on until it is revoked.
    public let isMakerGone: Bool?

    public init(
        id: APIKeyID, name: String, roles: [String], createdAt: Date, expiresAt: Date, lastUsedAt: Date?,
        createdBy: String? = nil, isMakerGone: Bool? = nil
    ) {
        self.id = id
        self.name = name
        self.roles = roles
        self.createdAt = createdAt
        self.expiresAt = expiresAt
        self.lastUsedAt = lastUsedAt
        self.createdBy = createdBy
        self.isMakerGone = isMakerGone
    }
}

/// The only answer that ever shows a key's secret.
public struct CreatedAPIKey: Codable, Sendable {
    public let key: String
    public let summary: APIKeySummary

    public init(key: String, summary: APIKeySummary) {
        self.key = key
        self.summary = summary
    }
}

// MARK: Internal: gateway asks tenant-admin

/// `GET /internal/v1/tenants/{id}` and `/internal/v1/tenants/by-subdomain/{subdomain}`.
public struct TenantSummary: Codable, Sendable, Equatable {
    public let id: TenantID
    public let name: String
    public let subdomain: String
    public let plan: Plan
    /// False while suspended or deleted.
    public let isActive: Bool

    public init(id: TenantID, name: String, subdomain: String, plan: Plan, isActive: Bool) {
        self.id = id
        self.name = name
        self.subdomain = subdomain
        self.plan = plan
        self.isActive = isActive
    }
}

/// `GET /internal/v1/tenants/{id}/time-zone`: of the tenant's civil dates.
public struct TenantTimeZone: Codable, Sendable, Equatable {
    public let timeZone: String

    public init(timeZone: String) { self.timeZone = timeZone }
}

/// `POST /internal/v1/tenants/{id}/credentials/verify`; answers `UserGrants`, or 401 `invalid_credentials`.
public typealias VerifyCredentialsRequest = LoginRequest

/// `POST /internal/v1/tenants/{id}/credentials/owner`: whose an address is. In the body, for it is to stand in no line of a log.
public struct AddressOwnerRequest: RequestPayload {
    public let email: String

    public init(email: String) { self.email = email }

    public func validate(_ validation: inout Validation) { validation.email(email, "email") }
}

/// The user who logs in with an address, active or not; 404 for nobody's address.
public struct AddressOwner: Codable, Sendable, Equatable {
    public let userId: UserID

    public init(userId: UserID) { self.userId = userId }
}

/// A user as tenant-admin knows it now: `GET /internal/v1/tenants/{id}/principals/{userId}`.
public struct UserGrants: Codable, Sendable, Equatable {
    public let userId: UserID
    public let tenantId: TenantID
    public let email: String
    public let name: String
    public let isActive: Bool
    public let roles: [String]
    /// The union of the roles' grants and the user's own.
    public let permissions: [Permission]
    /// Grows whenever the user's password is changed or the user deactivated; a session begun under a smaller one is over.
    public let credentialVersion: Int

    /// The version of a user whose password has never been changed, and of all answers made before versions existed.
    public static let firstCredentialVersion = 1

    public init(
        userId: UserID, tenantId: TenantID, email: String, name: String, isActive: Bool, roles: [String],
        permissions: [Permission], credentialVersion: Int = firstCredentialVersion
    ) {
        self.userId = userId
        self.tenantId = tenantId
        self.email = email
        self.name = name
        self.isActive = isActive
        self.roles = roles
        self.permissions = permissions
        self.credentialVersion = credentialVersion
    }

    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        userId = try values.decode(UserID.self, forKey: .userId)
        tenantId = try values.decode(TenantID.self, forKey: .tenantId)
        email = try values.decode(String.self, forKey: .email)
        name = try values.decode(String.self, forKey: .name)
        isActive = try values.decode(Bool.self, forKey: .isActive)
        roles = try values.decode([String].self, forKey: .roles)
        permissions = try values.decode([Permission].self, forKey: .permissions)
        credentialVersion =
            try values.decodeIfPresent(Int.self, forKey: .credentialVersion) ?? Self.firstCredentialVersion
    }
}

/// `GET /internal/v1/tenants/{id}/roles`: every role of the tenant with its grants, for API keys.
public struct RoleGrants: Codable, Sendable, Equatable {
    /// nil from a tenant-admin of an earlier version, and where only the grants matter.
    public let id: RoleID?
    public let name: String
    public let permissions: [Permission]

    public init(id: RoleID? = nil, name: String, permissions: [Permission]) {
        self.id = id
        self.name = name
        self.permissions = permissions
    }
}
