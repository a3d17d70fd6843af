import Contracts
import Foundation
import HTTPTypes
import Postgres
import Testing

@testable import TenantAdmin

@Suite("Password resets")
struct PasswordResetTests {
    private static let chosen = "another good password"

    private func start(_ service: TestService, _ tenant: Tenant, _ email: String) async throws -> Reply {
        try await service.send(
            .post, "/api/v1/auth/password-reset", as: service.publicToken(tenant.id),
            json: PasswordResetRequest(email: email))
    }

    private func confirm(_ service: TestService, _ tenant: Tenant, _ token: String) async throws -> Reply {
        try await service.send(
            .post, "/api/v1/auth/password-reset/confirm", as: service.publicToken(tenant.id),
            json: ConfirmPasswordResetRequest(token: token, password: Self.chosen))
    }

    private func logIn(_ service: TestService, _ tenant: Tenant, _ password: String) async throws -> Reply {
        try await service.send(
            .post, "/internal/v1/tenants/\(tenant.id)/credentials/verify", as: service.token(of: .gateway),
            json: LoginRequest(email: "admin@acme.example", password: password))
    }

    @Test("a reset sets the password once and ends the sessions begun with the old one")
    func reset() async throws {
        try await TestService.run { service in
            let tenant = try await service.createTenant("acme")
            let before = try await logIn(service, tenant, TestService.password).data(UserGrants.self)
            _ = try await start(service, tenant, "Admin@ACME.example")
            let message = try #require(try await service.claimMessages().first)
            let confirmed = try await confirm(service, tenant, message.token)
            let again = try await confirm(service, tenant, message.token)
            let after = try await logIn(service, tenant, Self.chosen).data(UserGrants.self)
            let old = try await logIn(service, tenant, TestService.password)
            let entries = try await service.all("audit-logs?entity=user", of: tenant.id, as: AuditEntry.self)

            #expect(message.kind == .passwordReset)
            #expect(message.email == "admin@acme.example")
            #expect(confirmed.status == 204)
            #expect(again.status == 401)
            #expect(after.credentialVersion == before.credentialVersion + 1)
            #expect(old.status == 401)
            #expect(entries.first?.action == "reset_password")
            #expect(entries.first?.actor == after.userId.description)
        }
    }

    @Test(
        "a reset token ends with a deactivation and with a password that an administrator sets",
        arguments: [true, false])
    func revoked(byDeactivation: Bool) async throws {
        try await TestService.run { service in
            let tenant = try await service.createTenant("acme")
            let token = try service.token(tenant.id)
            let user = try await service.send(
                .post, "/api/v1/users", as: token,
                text: #"{"email":"bob@acme.example","name":"Bob","password":"the first of Bob's","roles":["viewer"]}"#
            ).data(User.self)
            _ = try await start(service, tenant, "bob@acme.example")
            let message = try #require(try await service.claimMessages().first)
            func change(_ body: String) async throws {
                let changed = try await service.send(.patch, "/api/v1/users/\(user.id)", as: token, text: body)
                #expect(changed.status == 200)
            }
            if byDeactivation {
                try await change(#"{"isActive":false}"#)
                try await change(#"{"isActive":true}"#)
            } else {
                try await change(#"{"password":"another one for Bob"}"#)
            }
            #expect(try await confirm(service, tenant, message.token).status == 401)
        }
    }

    @Test("the answer is the same whether there is such a user or not, and only one who can log in gets a message")
    func nothingTold() async throws {
        try await TestService.run { service in
            let tenant = try await service.createTenant("acme")
            let known = try await start(service, tenant, "admin@acme.example")
            let unknown = try await start(service, tenant, "nobody@acme.example")
            let gone: User = try await service.send(
                .post, "/api/v1/users", as: service.token(tenant.id),
                json: CreateUserRequest(email: "gone@acme.example", name: "G", password: TestService.password)
            ).data()
            _ = try await service.send(
                .patch, "/api/v1/users/\(gone.id)", as: service.token(tenant.id),
                json: UpdateUserRequest(isActive: false))
            let inactive = try await start(service, tenant, "gone@acme.example")
            let messages = try await service.claimMessages()

            #expect(known.status == 202)
            #expect(unknown.status == known.status && inactive.status == known.status)
            #expect(unknown.bytes == known.bytes && inactive.bytes == known.bytes)
            #expect(messages.map(\.email) == ["admin@acme.example"])
        }
    }

    @Test("asking again and again sends one message, until it was delivered and a while has passed")
    func noFlood() async throws {
        try await TestService.run { service in
            let tenant = try await service.createTenant("acme")
            for _ in 0..<3 { _ = try await start(service, tenant, "admin@acme.example") }
            let first = try await service.claimMessages()
            let leased = try await service.claimMessages()
            let acknowledge = "/api/v1/messages/\(try #require(first.first).id)"
            let done = try await service.send(.delete, acknowledge, as: service.operatorToken)
            let twice = try await service.send(.delete, acknowledge, as: service.operatorToken)
            _ = try await start(service, tenant, "admin@acme.example")
            let tooSoon = try await service.claimMessages()
            try await service.pool.withConnection {
                _ = try await $0.execute(
                    "UPDATE tenant_admin.outbox SET created_at = created_at - interval '121 seconds'")
            }
            _ = try await start(service, tenant, "admin@acme.example")
            let later = try await service.claimMessages()

            #expect(first.count == 1)
            #expect(leased.isEmpty)
            #expect(done.status == 204)
            #expect(twice.status == 404)
            #expect(tooSoon.isEmpty)
            #expect(later.count == 1)
            #expect(later.first?.token != first.first?.token)
        }
    }

    @Test("a token that was not acknowledged stays good when the message comes again, and one used ends all")
    func comesAgain() async throws {
        try await TestService.run { service in
            let tenant = try await service.createTenant("acme")
            _ = try await start(service, tenant, "admin@acme.example")
            let first = try #require(try await service.claimMessages().first)
            try await service.pool.withConnection {
                _ = try await $0.execute("UPDATE tenant_admin.outbox SET next_attempt_at = now()")
            }
            let second = try #require(try await service.claimMessages().first)

            #expect(first.id == second.id)
            #expect(try await confirm(service, tenant, first.token).status == 204)
            #expect(try await confirm(service, tenant, second.token).status == 401)
        }
    }

    @Test("an invitation's token resets no password, nor the other way round, and what is malformed is named")
    func purposes() async throws {
        try await TestService.run { service in
            let tenant = try await service.createTenant("acme")
            _ = try await service.send(
                .post, "/api/v1/invitations", as: service.token(tenant.id),
                json: CreateInvitationRequest(email: "mia@acme.example", name: "Mia"))
            let invitation = try #require(try await service.claimMessages().first)
            _ = try await start(service, tenant, "admin@acme.example")
            let reset = try #require(try await service.claimMessages().first)
            let bad = try await service.send(
                .post, "/api/v1/auth/password-reset/confirm", as: service.publicToken(tenant.id),
                text: #"{"token":"","password":"short"}"#)
            let crossed = try await service.send(
                .post, "/api/v1/auth/invitations/accept", as: service.publicToken(tenant.id),
                json: AcceptInvitationRequest(token: reset.token, password: Self.chosen))
            let nameless = try await service.send(
                .post, "/api/v1/auth/password-reset", as: service.token(of: .gateway),
                json: PasswordResetRequest(email: "admin@acme.example"))

            #expect(try await confirm(service, tenant, invitation.token).status == 401)
            #expect(crossed.status == 401)
            #expect(Set(try bad.problem.errors.map(\.field)) == ["token", "password"])
            #expect(nameless.status == 400)
            // Neither attempt has used the token up.
            #expect(try await confirm(service, tenant, reset.token).status == 204)
        }
    }
}
