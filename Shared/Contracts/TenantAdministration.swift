public import Foundation

// What tenant-admin takes and gives beside lists: changes to a tenant, its users, roles, settings and audit log.

/// `PATCH /tenants/{id}`, by the platform operator.
public struct UpdateTenantRequest: RequestPayload {
    @NonNull public var name: String?
    /// A new plan brings its standard limits unless `limits` is given too.
    @NonNull public var plan: Plan?
    @NonNull public var adminEmail: String?
    /// Replaces all settings.
    @NonNull public var settings: [String: JSONValue]?
    @NonNull public var limits: TenantLimits?

    public init(
        name: String? = nil, plan: Plan? = nil, adminEmail: String? = nil, settings: [String: JSONValue]? = nil,
        limits: TenantLimits? = nil
    ) {
        self.name = name
        self.plan = plan
        self.adminEmail = adminEmail
        self.settings = settings
        self.limits = limits
    }

    public func validate(_ validation: inout Validation) {
        validation.text(name, "name")
        validation.email(adminEmail, "adminEmail")
        validation.range(limits?.maxUsers, 1...1_000_000_000, "limits.maxUsers")
        validation.range(limits?.maxProjects, 0...1_000_000_000, "limits.maxProjects")
        validation.range(limits?.maxStorageGb, 0...1_000_000_000, "limits.maxStorageGb")
        validation.range(limits?.mlTrainingHours, 0...1_000_000_000, "limits.mlTrainingHours")
    }
}

extension TenantLimits: DecodingPlaceholder {
    public static var decodingPlaceholder: TenantLimits { .standard(.starter) }
}

/// `GET /users`.
public struct User: Codable, Sendable, Equatable {
    public let id: UserID
    public let email: String
    public let name: String
    public let isActive: Bool
    /// False until the user has set a password.
    public let hasPassword: Bool
    public let roles: [String]
    /// Grants beside those of the roles.
    public let permissions: [Permission]
    public let createdAt: Date
    public let updatedAt: Date

    public init(
        id: UserID, email: String, name: String, isActive: Bool, hasPassword: Bool, roles: [String],
        permissions: [Permission], createdAt: Date, updatedAt: Date
    ) {
        self.id = id
        self.email = email
        self.name = name
        self.isActive = isActive
        self.hasPassword = hasPassword
        self.roles = roles
        self.permissions = permissions
        self.createdAt = createdAt
        self.updatedAt = updatedAt
    }
}

/// `POST /users`. A user cannot assign a role that grants more than the user holds.
public struct CreateUserRequest: RequestPayload {
    public let email: String
    public let name: String
    /// nil for a user who cannot log in until a password is set.
    public let password: String?
    /// Names of the tenant's roles; nil for `user`.
    public let roles: [String]?

    public init(email: String, name: String, password: String? = nil, roles: [String]? = nil) {
        self.email = email
        self.name = name
        self.password = password
        self.roles = roles
    }

    public func validate(_ validation: inout Validation) {
        validation.email(email, "email")
        validation.text(name, "name")
        if let password { PasswordRule.validate(password, "password", &validation) }
        validation.tags(roles, "roles", maximumCount: 20)
    }
}

/// `PATCH /users/{id}`.
public struct UpdateUserRequest: RequestPayload {
    @NonNull public var name: String?
    /// false ends every session of the user within a second.
    @NonNull public var isActive: Bool?
    /// Replaces the user's roles.
    @NonNull public var roles: [String]?
    @NonNull public var password: String?

    public init(name: String? = nil, isActive: Bool? = nil, roles: [String]? = nil, password: String? = nil) {
        self.name = name
        self.isActive = isActive
        self.roles = roles
        self.password = password
    }

    public func validate(_ validation: inout Validation) {
        validation.text(name, "name")
        validation.tags(roles, "roles", maximumCount: 20)
        if let password { PasswordRule.validate(password, "password", &validation) }
    }
}

/// The tenant's own settings by name: `GET /settings`; `PUT /settings`, after which there are these and no others;
/// `PATCH /settings`, which sets the names it gives, removes those it gives as null, and leaves the others.
public struct TenantSettings: RequestPayload, Equatable {
    public let settings: [String: JSONValue]

    /// The most names a tenant may have: what `GET` gives can be sent back.
    public static let maximumCount = 500

    public init(settings: [String: JSONValue]) { self.settings = settings }

    public func validate(_ validation: inout Validation) {
        guard validation.count(settings.count, 0...Self.maximumCount, "settings") else { return }
        for (key, value) in settings.sorted(by: { $0.key < $1.key }) {
            validation.name(key, of: "settings", maximum: 100)
            // null takes a setting away.
            if value != .null { KnownSetting(rawValue: key)?.validate(value, "settings.\(key)", &validation) }
        }
    }
}

/// The settings that the platform itself reads; a tenant may keep others under names of its own.
public enum KnownSetting: String, CaseIterable, Sendable {
    case companyName = "company_name"
    /// Weekly hours of a new employee who comes without; 40 where it is not set.
    case defaultCapacity = "default_capacity"
    /// Time zone of all civil dates: a name such as `Europe/Berlin`; UTC when it is not set.
    case timezone
    /// `MM-DD`
    case fiscalYearStart = "fiscal_year_start"
    /// ``Overbooking``
    case overbooking

    /// What a new tenant begins with, beside its own name.
    public static let defaults: [KnownSetting: JSONValue] = [
        .defaultCapacity: .integer(40), .timezone: .string("UTC"), .fiscalYearStart: .string("01-01"),
        .overbooking: .string(Overbooking.warn.rawValue),
    ]

    func validate(_ value: JSONValue, _ field: String, _ validation: inout Validation) {
        switch self {
        case .companyName:
            guard let text = value.stringValue else { return validation.reject(field, "must be a text") }
            validation.text(text, field)
        case .defaultCapacity:
            guard let hours = value.doubleValue else { return validation.reject(field, "must be a number of hours") }
            validation.range(hours, 0...168, field)
        case .timezone:
            let isName =
                value.stringValue.map { $0 == "UTC" || $0.contains("/") && TimeZone(identifier: $0) != nil } ?? false
            validation.require(isName, field, "must be the name of a time zone, such as Europe/Berlin or UTC")
        case .fiscalYearStart:
            // 2025 has no 29 February: a year begins on a day that every year has.
            let isDay = value.stringValue.flatMap { CivilDate("2025-" + $0) } != nil
            validation.require(isDay, field, "must be a day of the year like 01-01")
        case .overbooking:
            let words = Overbooking.allCases.map(\.rawValue)
            validation.require(
                value.stringValue.map(words.contains) ?? false, field, "must be one of \(words.joined(separator: ", "))"
            )
        }
    }
}

/// `GET /audit-logs`, newest first.
public struct AuditEntry: Codable, Sendable, Equatable {
    /// 1, 2, 3 … without gaps.
    public let seq: Int
    public let occurredAt: Date
    /// A user's id, `api-key:<id>` or `platform-operator`.
    public let actor: String
    /// `create`, `update`, `delete`, `import`, …
    public let action: String
    /// What kind of thing was changed: `employee`, `user`, …
    public let entity: String
    public let entityId: String?
    public let details: JSONValue
    public let requestId: String?
    /// The client's address and program, where they are known.
    public let address: String?
    public let agent: String?
    /// SHA-256 in hexadecimal over the previous entry's hash and this entry.
    public let hash: String

    public init(
        seq: Int, occurredAt: Date, actor: String, action: String, entity: String, entityId: String?,
        details: JSONValue, requestId: String?, address: String? = nil, agent: String? = nil, hash: String
    ) {
        self.seq = seq
        self.occurredAt = occurredAt
        self.actor = actor
        self.action = action
        self.entity = entity
        self.entityId = entityId
        self.details = details
        self.requestId = requestId
        self.address = address
        self.agent = agent
        self.hash = hash
    }
}
