import Contracts
import Foundation
import HTTPTypes
import Postgres
import ServiceIdentity
import Testing

@testable import TenantAdmin

@Suite("Invitations")
struct InvitationTests {
    private func invite(
        _ service: TestService, _ tenant: Tenant, _ email: String = "mia@acme.example", roles: [String]? = ["manager"],
        as inviter: String? = nil
    ) async throws -> Reply {
        let admin = try await service.administrator(of: tenant.id)
        return try await service.send(
            .post, "/api/v1/invitations", as: service.token(tenant.id, subject: inviter ?? admin.description),
            json: CreateInvitationRequest(email: email, name: "Mia", roles: roles))
    }

    private func accept(_ service: TestService, _ tenant: Tenant, _ token: String) async throws -> Reply {
        try await service.send(
            .post, "/api/v1/auth/invitations/accept", as: service.publicToken(tenant.id),
            json: AcceptInvitationRequest(token: token, password: "a password of my own"))
    }

    @Test("an accepted invitation makes a user with its roles, once")
    func accepted() async throws {
        try await TestService.run { service in
            let tenant = try await service.createTenant("acme")
            let created = try await invite(service, tenant)
            let invitation: Invitation = try created.data()
            let message = try #require(try await service.claimMessages().first)
            let user = try await accept(service, tenant, message.token)
            let again = try await accept(service, tenant, message.token)
            let login = try await service.send(
                .post, "/internal/v1/tenants/\(tenant.id)/credentials/verify", as: service.token(of: .gateway),
                json: LoginRequest(email: "mia@acme.example", password: "a password of my own"))
            let read = try await service.send(
                .get, "/api/v1/invitations/\(invitation.id)", as: service.token(tenant.id))
            let stored = try await TenantDatabase(pool: service.pool).withTenant(tenant.id) {
                try await $0.query("SELECT count(*) AS number FROM one_time_tokens")
            }

            #expect(created.status == 201)
            #expect(created.headers[.location] == "/api/v1/invitations/\(invitation.id)")
            #expect(!created.text.contains(message.token))
            #expect(message.kind == .invitation)
            #expect([message.email, message.name, message.tenant.subdomain] == ["mia@acme.example", "Mia", "acme"])
            #expect(user.status == 201)
            #expect(try user.data(User.self).roles == ["manager"])
            #expect(again.status == 401)
            #expect(try again.problem.code == .invalidCredentials)
            #expect(try login.data(UserGrants.self).roles == ["manager"])
            #expect(try read.data(Invitation.self).status == .accepted)
            #expect(try stored[0].decode("number", as: Int.self) == 0)
        }
    }

    @Test("waiting messages are reported by kind and age, claimed ones as not due, without people and tokens")
    func waiting() async throws {
        try await TestService.run { service in
            let tenant = try await service.createTenant("acme")
            let before: [WaitingMessages] = try await service.send(.get, "/api/v1/messages", as: service.operatorToken)
                .data()
            _ = try await invite(service, tenant)
            _ = try await invite(service, tenant, "max@acme.example")
            let made = try await service.send(.get, "/api/v1/messages", as: service.operatorToken)
            let message = try #require(try await service.claimMessages().first)
            let claimed: [WaitingMessages] = try await service.send(.get, "/api/v1/messages", as: service.operatorToken)
                .data()
            let refused = try await service.send(.get, "/api/v1/messages", as: service.token(tenant.id))

            #expect(before.map(\.kind) == [.invitation, .passwordReset])
            #expect(before.allSatisfy { $0.waiting == 0 && $0.oldestAt == nil })
            let told: [WaitingMessages] = try made.data()
            #expect(told[0].waiting == 2 && told[0].due == 2 && told[0].mostAttempts == 0)
            #expect(told[0].oldestAt.map { abs($0.timeIntervalSinceNow) < 60 } == true)
            #expect(!made.text.contains("acme.example") && !made.text.contains(message.token))
            #expect(claimed[0].waiting == 2 && claimed[0].due == 0 && claimed[0].mostAttempts == 1)
            #expect(refused.status == 403)
        }
    }

    @Test("a token of another tenant, a revoked and an expired one are worth nothing")
    func worthless() async throws {
        try await TestService.run { service in
            let tenant = try await service.createTenant("acme")
            let other = try await service.createTenant("other")
            let token = try service.token(tenant.id)
            let first: Invitation = try await invite(service, tenant).data()
            let message = try #require(try await service.claimMessages().first)
            let foreign = try await accept(service, other, message.token)
            let revoked = try await service.send(.delete, "/api/v1/invitations/\(first.id)", as: token)
            let afterRevoking = try await accept(service, tenant, message.token)
            let second: Invitation = try await invite(service, tenant).data()
            let fresh = try #require(try await service.claimMessages().first { $0.id != message.id })
            try await TenantDatabase(pool: service.pool).withTenant(tenant.id) {
                _ = try await $0.execute("UPDATE invitations SET expires_at = now() WHERE id = \(second.id.rawValue)")
                _ = try await $0.execute("UPDATE one_time_tokens SET expires_at = now()")
            }
            let expired = try await accept(service, tenant, fresh.token)
            let third = try await invite(service, tenant)
            let open = try await service.all("invitations?status=open", of: tenant.id, as: Invitation.self)
            let all = try await service.all("invitations", of: tenant.id, as: Invitation.self)

            #expect(foreign.status == 401)
            #expect(revoked.status == 204)
            #expect(afterRevoking.status == 401)
            #expect(expired.status == 401)
            #expect(third.status == 201)
            #expect(open.count == 1)
            #expect(all.map(\.status) == [.open, .expired, .revoked])
            #expect(
                try await service.send(.delete, "/api/v1/invitations/\(first.id)", as: token).status == 409)
        }
    }

    @Test("an invitation beyond the caller's permissions, or of a user or invited person, is refused")
    func refused() async throws {
        try await TestService.run { service in
            let tenant = try await service.createTenant("acme")
            let helper = try service.token(
                tenant.id, DefaultRole.user.permissions + [Permission(resource: "users", actions: ["*"])])
            let beyond = try await service.send(
                .post, "/api/v1/invitations", as: helper,
                json: CreateInvitationRequest(email: "x@acme.example", name: "X", roles: ["admin"]))
            let existing = try await invite(service, tenant, "ADMIN@acme.example")
            _ = try await invite(service, tenant)
            let twice = try await invite(service, tenant, "MIA@acme.example")
            let bad = try await service.send(
                .post, "/api/v1/invitations", as: service.token(tenant.id),
                text: #"{"email":"x","name":"","roles":[""],"expiresInDays":31}"#)

            #expect(beyond.status == 403)
            #expect(existing.status == 409)
            #expect(twice.status == 409)
            #expect(
                Set(try bad.problem.errors.map(\.field)) == ["email", "name", "roles[0]", "expiresInDays"])
            #expect(try await service.claimMessages().count == 1)
        }
    }

    @Test("an Idempotency-Key makes one invitation and one message")
    func once() async throws {
        try await TestService.run { service in
            let tenant = try await service.createTenant("acme")
            func post() async throws -> Reply {
                try await service.send(
                    .post, "/api/v1/invitations", as: service.token(tenant.id),
                    json: CreateInvitationRequest(email: "mia@acme.example", name: "Mia"),
                    headers: [HeaderName.idempotencyKey: "i1"])
            }
            let (first, second) = (try await post(), try await post())

            #expect(first.status == 201)
            #expect(first.bytes == second.bytes)
            #expect(try await service.claimMessages().count == 1)
        }
    }

    @Test("an invitation does not go beyond the plan, and its token is not lost by trying")
    func quota() async throws {
        try await TestService.run { service in
            let tenant = try await service.createTenant("acme")
            _ = try await invite(service, tenant)
            let message = try #require(try await service.claimMessages().first)
            func limit(_ users: Int) async throws {
                var limits = tenant.limits
                limits.maxUsers = users
                _ = try await service.send(
                    .patch, "/api/v1/tenants/\(tenant.id)", as: service.operatorToken,
                    json: UpdateTenantRequest(limits: limits))
            }
            try await limit(1)
            let full = try await accept(service, tenant, message.token)
            try await limit(2)
            let room = try await accept(service, tenant, message.token)

            #expect(try full.problem.code == .quotaExceeded)
            #expect(room.status == 201)
        }
    }

    @Test("strangers get no more invitations a day than the plan allows users, revoked ones included")
    func fewADay() async throws {
        try await TestService.run { service in
            let tenant = try await service.createTenant("acme")
            var limits = tenant.limits
            limits.maxUsers = 3
            _ = try await service.send(
                .patch, "/api/v1/tenants/\(tenant.id)", as: service.operatorToken,
                json: UpdateTenantRequest(limits: limits))
            for number in 1...10 {
                let made = try await invite(service, tenant, "\(number)@strangers.example")
                #expect(made.status == 201)
                let revoked = try await service.send(
                    .delete, "/api/v1/invitations/\(try made.data(Invitation.self).id)", as: service.token(tenant.id))
                #expect(revoked.status == 204)
            }
            let beyond = try await invite(service, tenant, "more@strangers.example")
            try await TenantDatabase(pool: service.pool).withTenant(tenant.id) {
                _ = try await $0.execute("UPDATE invitations SET created_at = created_at - interval '25 hours'")
            }
            let nextDay = try await invite(service, tenant, "more@strangers.example")

            #expect(beyond.status == 403)
            #expect(try beyond.problem.code == .quotaExceeded)
            #expect(nextDay.status == 201)
        }
    }

    @Test("strangers who are anonymised count for the day, and for no longer than it")
    func anonymisedADay() async throws {
        try await TestService.run { service in
            let tenant = try await service.createTenant("acme")
            var limits = tenant.limits
            limits.maxUsers = 3
            _ = try await service.send(
                .patch, "/api/v1/tenants/\(tenant.id)", as: service.operatorToken,
                json: UpdateTenantRequest(limits: limits))
            for number in 1...10 {
                let made = try await invite(service, tenant, "\(number)@strangers.example")
                let path = "/api/v1/invitations/\(try made.data(Invitation.self).id)"
                let revoked = try await service.send(.delete, path, as: service.token(tenant.id))
                #expect(revoked.status == 204)
                let anonymised = try await service.send(.post, "\(path)/anonymise", as: service.token(tenant.id))
                #expect(anonymised.status == 200)
            }
            let beyond = try await invite(service, tenant, "more@strangers.example")
            try await service.asSuperuser(
                "acme",
                """
                SET LOCAL session_replication_role = replica;
                UPDATE audit_logs SET occurred_at = occurred_at - interval '25 hours'
                """)
            let nextDay = try await invite(service, tenant, "more@strangers.example")

            #expect(beyond.status == 403)
            #expect(try beyond.problem.code == .quotaExceeded)
            #expect(nextDay.status == 201)
        }
    }

    /// What becomes of an inviter's account before the invitation is accepted.
    enum Loss: CaseIterable {
        case deleted, deactivated, demoted, roleShrunk, roleOfInvitationGrown

        /// - Returns: method, path and body of the administrator's request.
        func request(_ inviter: User, own: Role, given: Role) -> (HTTPRequest.Method, String, String?) {
            switch self {
            case .deleted: (.delete, "users/\(inviter.id)", nil)
            case .deactivated: (.patch, "users/\(inviter.id)", #"{"isActive":false}"#)
            case .demoted: (.put, "users/\(inviter.id)/roles", #"{"roles":["viewer"]}"#)
            case .roleShrunk:
                (.patch, "roles/\(own.id)", #"{"permissions":[{"resource":"users","actions":["*"]}]}"#)
            case .roleOfInvitationGrown:
                (.patch, "roles/\(given.id)", #"{"permissions":[{"resource":"audit","actions":["read"]}]}"#)
            }
        }
    }

    @Test(
        "an invitation ends with its inviter's account and right to give its roles, and the audit log says so",
        arguments: Loss.allCases)
    func inviterGone(loss: Loss) async throws {
        try await TestService.run { service in
            let tenant = try await service.createTenant("acme")
            let token = try service.token(tenant.id)
            let own: Role = try await service.send(
                .post, "/api/v1/roles", as: token,
                json: CreateRoleRequest(
                    name: "Inviters",
                    permissions: ["users", "projects"].map { Permission(resource: $0, actions: ["*"]) })
            ).data()
            let given: Role = try await service.send(
                .post, "/api/v1/roles", as: token,
                json: CreateRoleRequest(
                    name: "Readers", permissions: [Permission(resource: "projects", actions: ["read"])])
            ).data()
            let inviter: User = try await service.send(
                .post, "/api/v1/users", as: token,
                json: CreateUserRequest(email: "eve@acme.example", name: "Eve", roles: [own.name])
            ).data()
            let invitation: Invitation = try await invite(
                service, tenant, roles: [given.name], as: inviter.id.description
            ).data()
            let message = try #require(try await service.claimMessages().first)
            let (method, path, body) = loss.request(inviter, own: own, given: given)
            let changed = try await service.send(
                method, "/api/v1/\(path)", as: token, body: body.map { Array($0.utf8) })
            #expect((200..<300).contains(changed.status), "\(changed.text)")

            let refused = try await accept(service, tenant, message.token)
            let again = try await accept(service, tenant, message.token)
            let users = try await service.all("users", of: tenant.id, as: User.self)
            let entry = try #require(
                try await service.all("audit-logs?entity=invitation", of: tenant.id, as: AuditEntry.self).first)
            let read = try await service.send(.get, "/api/v1/invitations/\(invitation.id)", as: token)

            #expect(refused.status == 409)
            #expect(try refused.problem.code == .conflict)
            #expect(again.status == 401)
            #expect(!users.contains { $0.email == "mia@acme.example" })
            #expect(try read.data(Invitation.self).status == .revoked)
            #expect(entry.action == "revoke")
            #expect(entry.actor == "tenant-admin")
            #expect(entry.entityId == invitation.id.description)
            #expect(entry.details["reason"] != nil)
            // Another may be sent by somebody who may.
            #expect(try await invite(service, tenant, roles: [given.name]).status == 201)
        }
    }

    @Test("an invitation ends with the API key that made it", arguments: ["good", "revoked", "expired"])
    func keyGone(state: String) async throws {
        try await TestService.run { service in
            let tenant = try await service.createTenant("acme")
            let key = APIKeyID()
            func note(_ action: String, _ details: [String: JSONValue] = [:]) async throws {
                let reply = try await service.send(
                    .post, "/internal/v1/tenants/\(tenant.id)/audit-logs", as: service.token(of: .gateway),
                    json: AuditNote(action, "api_key", key.description, details: details, by: "somebody"))
                #expect(reply.status == 200)
            }
            let end = Date(timeIntervalSinceNow: state == "expired" ? -60 : 86_400)
            try await note("create", ["after": .object(["expiresAt": .string(WireJSON.timestamp(end))])])
            _ = try await invite(service, tenant, as: "api-key:\(key)")
            let message = try #require(try await service.claimMessages().first)
            if state == "revoked" { try await note("revoke") }

            #expect(try await accept(service, tenant, message.token).status == (state == "good" ? 201 : 409))
        }
    }

    @Test("an invitation by nobody who is known is not accepted")
    func inviterUnknown() async throws {
        try await TestService.run { service in
            let tenant = try await service.createTenant("acme")
            _ = try await invite(service, tenant, as: "somebody")
            let message = try #require(try await service.claimMessages().first)

            #expect(try await accept(service, tenant, message.token).status == 409)
        }
    }
}

extension TestService {
    /// The user who was made with the tenant.
    func administrator(of tenant: TenantID) async throws -> UserID {
        let users = try await all("users", of: tenant, as: User.self)
        return try #require(users.first { $0.roles == ["admin"] }).id
    }

    /// The gateway on a public route: the tenant is named, nobody is authenticated.
    func publicToken(_ tenant: TenantID) throws -> String {
        try token(of: .gateway, Caller(issuer: .gateway, tenant: tenant, subject: nil))
    }

    /// What the platform operator finds to deliver.
    func claimMessages() async throws -> [OutgoingMessage] {
        try await send(.post, "/api/v1/messages/claim", as: operatorToken).data()
    }
}
