public import Foundation

/// `POST /invitations`. The roles of an invitation cannot grant more than the inviting user holds.
public struct CreateInvitationRequest: RequestPayload {
    public let email: String
    /// The person's name until the person gives another.
    public let name: String
    /// Names of the tenant's roles; nil for `user`.
    public let roles: [String]?
    /// 1…30; nil for 7.
    public let expiresInDays: Int?

    public init(email: String, name: String, roles: [String]? = nil, expiresInDays: Int? = nil) {
        self.email = email
        self.name = name
        self.roles = roles
        self.expiresInDays = expiresInDays
    }

    public func validate(_ validation: inout Validation) {
        validation.email(email, "email")
        validation.text(name, "name")
        validation.tags(roles, "roles", maximumCount: 20)
        validation.range(expiresInDays, 1...30, "expiresInDays")
    }
}

public enum InvitationStatus: String, Codable, Sendable, CaseIterable {
    case open, accepted, revoked, expired
}

/// `GET /invitations`, newest first.
public struct Invitation: Codable, Sendable, Equatable {
    public let id: InvitationID
    public let email: String
    public let name: String
    /// Those of the roles that there still are.
    public let roles: [String]
    public let status: InvitationStatus
    /// A user's id or `api-key:<id>`.
    public let invitedBy: String
    public let createdAt: Date
    public let expiresAt: Date

    public init(
        id: InvitationID, email: String, name: String, roles: [String], status: InvitationStatus, invitedBy: String,
        createdAt: Date, expiresAt: Date
    ) {
        self.id = id
        self.email = email
        self.name = name
        self.roles = roles
        self.status = status
        self.invitedBy = invitedBy
        self.createdAt = createdAt
        self.expiresAt = expiresAt
    }
}

/// `POST /auth/invitations/accept`; answers 201 with the new `User`, or 401 `invalid_credentials` for a token that is wrong,
/// used or expired, or 409 `conflict` when who sent the invitation may not give its roles any more.
public struct AcceptInvitationRequest: RequestPayload {
    public let token: String
    public let password: String
    /// nil for the name in the invitation.
    public let name: String?

    public init(token: String, password: String, name: String? = nil) {
        self.token = token
        self.password = password
        self.name = name
    }

    public func validate(_ validation: inout Validation) {
        OneTimeTokenRule.validate(token, &validation)
        PasswordRule.validate(password, "password", &validation)
        validation.text(name, "name")
    }
}

/// `POST /auth/password-reset`; answers 202 whether there is such a user or not.
public struct PasswordResetRequest: RequestPayload {
    public let email: String

    public init(email: String) { self.email = email }

    public func validate(_ validation: inout Validation) { validation.email(email, "email") }
}

/// The answer to a `PasswordResetRequest`.
public struct PasswordResetStarted: Codable, Sendable, Equatable {
    /// Always `accepted`.
    public let status: String

    public init() { status = "accepted" }
}

/// `POST /auth/password-reset/confirm`; answers 204 and ends all sessions of the user, or 401 `invalid_credentials`.
public struct ConfirmPasswordResetRequest: RequestPayload {
    public let token: String
    public let password: String

    public init(token: String, password: String) {
        self.token = token
        self.password = password
    }

    public func validate(_ validation: inout Validation) {
        OneTimeTokenRule.validate(token, &validation)
        PasswordRule.validate(password, "password", &validation)
    }
}

enum OneTimeTokenRule {
    static func validate(_ token: String, _ validation: inout Validation) {
        validation.length(token, 1...512, "token")
    }
}

public enum MessageKind: String, Codable, Sendable, CaseIterable {
    case invitation
    case passwordReset = "password_reset"
}

/// A message to a person: what the webhook is sent, and what `POST /messages/claim` gives the platform operator.
///
/// It may come more than once with the same id and another token; all of them are good until one is used.
public struct OutgoingMessage: Codable, Sendable, Equatable {
    public let id: MessageID
    public let kind: MessageKind
    public let tenant: TenantSummary
    public let email: String
    public let name: String
    /// For `POST /auth/invitations/accept` or `/auth/password-reset/confirm`. A secret: it lets its holder set the password.
    public let token: String
    public let expiresAt: Date

    public init(
        id: MessageID, kind: MessageKind, tenant: TenantSummary, email: String, name: String, token: String,
        expiresAt: Date
    ) {
        self.id = id
        self.kind = kind
        self.tenant = tenant
        self.email = email
        self.name = name
        self.token = token
        self.expiresAt = expiresAt
    }
}

/// `POST /messages/claim`, by the platform operator: the next messages, leased to the caller for five minutes. Messages that
/// are not acknowledged by `DELETE /messages/{id}` are handed out again.
public struct ClaimMessagesRequest: RequestPayload {
    /// 1…100; nil for 20.
    public let limit: Int?

    public init(limit: Int? = nil) { self.limit = limit }

    public func validate(_ validation: inout Validation) { validation.range(limit, 1...100, "limit") }
}
