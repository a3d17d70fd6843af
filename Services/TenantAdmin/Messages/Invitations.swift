import Contracts
import Foundation
import Postgres
import ServiceIdentity
import ServiceKit
import ServiceStorage

/// People who were asked to become users.
struct Invitations: Sendable {
    let database: TenantDatabase
    var passwords = PasswordPolicy()

    private static let noun = "invitation"
    /// So many invitations may be open, or were made within a day, whatever the plan: each is a message to somebody who has not asked for it.
    private static let fewest = 10

    /// Newest first.
    func page(
        of tenant: TenantID, status: InvitationStatus?, limit: Int, after last: NewestFirst<InvitationEntity>?
    ) async throws -> [Invitation] {
        var conditions: [SQL] = ["true"]
        if let status { conditions.append("\(sql: Invitation.state) = \(status)") }
        if let last { conditions.append(last.condition) }
        let condition = conditions.joined(separator: " AND ")
        return try await database.withTenant(tenant, readOnly: true) { connection in
            try await connection.query(
                """
                SELECT \(sql: Invitation.columns) FROM invitations WHERE \(sql: condition)
                ORDER BY created_at DESC, id DESC LIMIT \(limit)::bigint
                """
            ).map(Invitation.init)
        }
    }

    /// - Throws: 404.
    func invitation(_ id: InvitationID, of tenant: TenantID) async throws -> Invitation {
        try await database.withTenant(tenant, readOnly: true) { try await Self.row(of: id, on: $0) }
    }

    /// Makes the invitation and the message that brings it, both or none.
    /// - Throws: 409 when the address is a user's or has an open invitation; 422 and 403 for roles that do not exist or grant
    ///   too much; 403 `quota_exceeded` for more invitations than the plan allows users.
    func create(
        _ request: CreateInvitationRequest, by caller: TenantCaller, once key: IdempotencyKey?
    ) async throws -> Invitation {
        let roles = request.roles ?? [DefaultRole.user.rawValue]
        return try await database.withActive(caller.tenant) { home, connection in
            let (invitation, isNew) = try await IdempotencyKey.once(key, in: "idempotency_keys", on: connection) {
                try TenantCounts.requireStorage(home)
                _ = try await Roles.grantable(roles, by: caller.permissions, on: connection)
                try await Self.requireFree(request.email, on: connection)
                try await Self.requireFew(home.limits, on: connection)
                let id = InvitationID()
                try await connection.execute(
                    """
                    INSERT INTO invitations (id, email, name, role_ids, invited_by, expires_at)
                    VALUES (\(id), \(request.email), \(request.name),
                        array(SELECT id FROM roles WHERE name = ANY(\(roles)::text[]) ORDER BY name),
                        \(caller.author.name), now() + \(request.expiresInDays ?? 7)::integer * interval '1 day')
                    """)
                let invitation = try await Self.row(of: id, on: connection)
                try await AuditLog.record(
                    try .create(Self.noun, id.description, invitation), by: caller.author, on: connection)
                return invitation
            }
            if isNew { try await Outbox.enqueue(invitation, of: caller.tenant, on: connection) }
            return invitation
        }
    }

    /// Makes the invitation worthless; tokens that were sent go with it.
    /// - Throws: 404; 409 when it is not open any more; what `precondition` throws.
    func revoke(
        _ id: InvitationID, by caller: TenantCaller, if precondition: @Sendable (Invitation) throws -> Void
    ) async throws {
        try await database.withTenant(caller.tenant) { connection in
            let current = try await Self.row(of: id, locked: true, on: connection)
            try precondition(current)
            guard current.status == .open else {
                throw ProblemError.conflict("The invitation is \(current.status.rawValue) already.")
            }
            try await Self.revoke(current, by: caller.author, on: connection)
        }
    }

    /// Removes the invitations to the address of one that has ended without a user, and takes name and address away, also where the audit
    /// log has them; its entries stay, under the invitations' ids.
    /// - Throws: 404; 409 while one of them is open, and for the address of a user, with whom they go.
    func anonymise(_ id: InvitationID, by caller: TenantCaller) async throws -> Anonymisation {
        try await database.withTenant(caller.tenant) { connection in
            let key = EmailAddress.key(try await Self.row(of: id, on: connection).email)
            let rows = try await connection.query(
                """
                SELECT id, \(sql: Invitation.state) AS status FROM invitations WHERE email_key = \(key)
                ORDER BY id FOR UPDATE
                """)
            let invitations = try rows.map { try $0.decode("id", as: InvitationID.self) }
            // Another request may have been first.
            guard invitations.contains(id) else { throw ProblemError.notFound("Invitation") }
            guard try !rows.contains(where: { try $0.decode("status", as: InvitationStatus.self) == .open }) else {
                throw ProblemError.conflict("An invitation to this address is open; revoke it first.")
            }
            let users = try await connection.query("SELECT FROM users WHERE email_key = \(key)")
            guard users.isEmpty else {
                throw ProblemError.conflict("The address is a user's; with the user, the invitations are deleted.")
            }
            try await connection.execute("DELETE FROM invitations WHERE id = ANY(\(invitations)::uuid[])")
            let erased = try await ForgottenUser.forget(invitations, to: key, on: connection)
            var change = Change("anonymise", Self.noun, id.description, details: erased.details)
            change.details["invitations"] = .array(invitations.map { .string($0.description) })
            try await AuditLog.record(change, by: caller.author, on: connection)
            try await Outbox.remove(invitations, on: connection)
            return Anonymisation(erasedValues: erased.count, namingEntries: erased.namingEntries)
        }
    }

    /// Creates the user with the roles of the invitation. What the inviter may not give any more is not given: such an invitation is
    /// revoked by the attempt.
    /// - Throws: 401 `invalid_credentials` for a token that is not good; 403 `quota_exceeded`; 409 when the address, the
    ///   roles or the inviter's rights are not what they were.
    func accept(_ request: AcceptInvitationRequest, in tenant: TenantID, requestID: String) async throws -> User {
        _ = try await database.withTenant(tenant, readOnly: true) {
            try await OneTimeToken.purpose(of: request.token, on: $0)
        }
        let hash = try await passwords.hash(request.password, of: tenant)
        let user: User? = try await database.withActive(tenant) { home, connection in
            guard case .invitation(let id) = try await OneTimeToken.use(request.token, on: connection) else {
                throw OneTimeToken.invalid
            }
            let invitation = try await Self.row(of: id, locked: true, on: connection)
            guard invitation.status == .open else { throw OneTimeToken.invalid }
            let wanted = try await connection.query(
                "SELECT cardinality(role_ids) AS number FROM invitations WHERE id = \(id)")
            guard try wanted[0].decode("number", as: Int.self) == invitation.roles.count else {
                throw ProblemError.conflict("The roles of the invitation have been deleted; ask for another.")
            }
            // Waits for a change of the inviter's account that is under way, and sees what has become of it.
            try await connection.execute("LOCK TABLE user_roles IN ROW EXCLUSIVE MODE")
            guard try await Self.isStillGiven(invitation, in: tenant, on: connection) else {
                // Returned from, not thrown: what is recorded here stays.
                try await Self.revoke(
                    invitation, details: ["reason": .string("the inviter may not give its roles any more")],
                    by: Author(name: ServiceName.tenantAdmin.rawValue, requestID: requestID), on: connection)
                return nil
            }
            let user = try await Users.insert(
                email: invitation.email, name: request.name ?? invitation.name, passwordHash: hash,
                roles: invitation.roles, on: connection)
            try await Quota.users.check(home.limits, on: connection)
            try await connection.execute("UPDATE invitations SET accepted_at = now() WHERE id = \(id)")
            let author = Author(name: user.description, requestID: requestID)
            let row = try await Users.row(of: user, on: connection)
            let details: [String: JSONValue] = ["user": .string(user.description)]
            try await AuditLog.record(
                Change("accept", Self.noun, id.description, details: details), by: author, on: connection)
            try await AuditLog.record(try .create("user", user.description, row), by: author, on: connection)
            return row
        }
        guard let user else {
            throw ProblemError.conflict(
                "Who sent the invitation may not give its roles any more; ask an administrator for another.")
        }
        return user
    }

    private static func revoke(
        _ invitation: Invitation, details: [String: JSONValue] = [:], by author: Author,
        on connection: PostgresConnection
    ) async throws {
        let id = invitation.id
        try await connection.execute("UPDATE invitations SET revoked_at = now() WHERE id = \(id)")
        try await connection.execute("DELETE FROM one_time_tokens WHERE invitation_id = \(id)")
        var change = try Change.update(
            noun, id.description, from: invitation, to: try await row(of: id, on: connection), action: "revoke")
        change.details.merge(details) { $1 }
        try await AuditLog.record(change, by: author, on: connection)
    }

    /// Whether the inviter could send this very invitation now. A user by the present account and permissions; an API key, of which only
    /// the gateway knows more, unless the audit log says that it was revoked or has expired. Anybody else could not.
    private static func isStillGiven(
        _ invitation: Invitation, in tenant: TenantID, on connection: PostgresConnection
    ) async throws -> Bool {
        let inviter = invitation.invitedBy
        if let user = UserID(inviter) {
            let rows = try await connection.query(
                "SELECT \(sql: UserGrants.columns) FROM users u WHERE u.id = \(user)")
            guard let grants = try rows.first.map({ try UserGrants($0, tenant: tenant) }), grants.isActive,
                grants.permissions.allow(.write, on: .users)
            else { return false }
            let roles = try await connection.query(
                "SELECT id, name, permissions FROM roles WHERE name = ANY(\(invitation.roles)::text[])"
            ).map(RoleGrants.init)
            return roles.flatMap(\.permissions).allSatisfy(grants.permissions.cover)
        }
        let prefix = "api-key:"
        guard inviter.hasPrefix(prefix), let key = APIKeyID(String(inviter.dropFirst(prefix.count))) else {
            return false
        }
        let ends = try await connection.query(
            """
            SELECT FROM audit_logs WHERE entity = 'api_key' AND entity_id = \(key.description)
                AND (action = 'revoke'
                    OR action = 'create' AND (details #>> '{after,expiresAt}')::timestamptz <= clock_timestamp())
            LIMIT 1
            """)
        return ends.isEmpty
    }

    private static func requireFree(_ email: String, on connection: PostgresConnection) async throws {
        let users = try await connection.query(
            "SELECT FROM users WHERE email_key = \(EmailAddress.key(email)) AND address_taken_by IS NULL")
        guard users.isEmpty else {
            throw ProblemError.conflict(
                "A user with this e-mail address exists already.",
                errors: [FieldError(field: "email", message: "is in use")])
        }
        // One that has expired makes room for another.
        try await connection.execute(
            """
            UPDATE invitations SET revoked_at = now()
            WHERE email_key = \(EmailAddress.key(email)) AND accepted_at IS NULL AND revoked_at IS NULL
                AND expires_at <= now()
            """)
    }

    /// Those that were accepted have become users, which the plan counts. Of those that were anonymised the log still says that they were made:
    /// who invites, revokes and anonymises in turn could otherwise write to any number of strangers.
    private static func requireFew(_ limits: TenantLimits, on connection: PostgresConnection) async throws {
        let rows = try await connection.query(
            """
            SELECT (SELECT count(*) FROM invitations
                    WHERE accepted_at IS NULL
                        AND (created_at > now() - interval '1 day' OR revoked_at IS NULL AND expires_at > now()))
                + (SELECT count(*) FROM audit_logs a
                    WHERE a.entity = \(Self.noun) AND a.action = 'create' AND a.occurred_at > now() - interval '1 day'
                        AND NOT EXISTS (SELECT FROM invitations i WHERE i.id::text = a.entity_id)) AS number
            """)
        let most = max(fewest, limits.maxUsers)
        guard try rows[0].decode("number", as: Int.self) < most else {
            throw ProblemError.permissionDenied(
                "Your plan allows \(most) invitations that are open or not a day old; wait until some are accepted or a day old, and revoke older ones.",
                code: .quotaExceeded)
        }
    }

    private static func row(
        of id: InvitationID, locked: Bool = false, on connection: PostgresConnection
    ) async throws -> Invitation {
        let rows = try await connection.query(
            "SELECT \(sql: Invitation.columns) FROM invitations WHERE id = \(id) \(sql: .lock(locked))")
        guard let row = rows.first else { throw ProblemError.notFound("Invitation") }
        return try Invitation(row)
    }
}

extension Invitation {
    static let state: SQL = """
        CASE WHEN accepted_at IS NOT NULL THEN 'accepted' WHEN expires_at <= now() THEN 'expired'
            WHEN revoked_at IS NOT NULL THEN 'revoked' ELSE 'open' END
        """

    static let columns: SQL = """
        id, email, name, array(SELECT r.name FROM roles r WHERE r.id = ANY(role_ids) ORDER BY r.name) AS roles,
        \(sql: state) AS status, invited_by, created_at, expires_at
        """

    init(_ row: PostgresRow) throws {
        self.init(
            id: try row.decode("id"), email: try row.decode("email"), name: try row.decode("name"),
            roles: try row.decode("roles"), status: try row.decode("status"),
            invitedBy: try row.decode("invited_by"), createdAt: try row.decode("created_at"),
            expiresAt: try row.decode("expires_at"))
    }
}
