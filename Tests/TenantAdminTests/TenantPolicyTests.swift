import Contracts
import HTTPTypes
import Testing

@testable import TenantAdmin

@Suite("What an operator demands of passwords and names")
struct TenantPolicyTests {
    private static let policies = TenantPolicies(
        passwords: PasswordPolicy(minimumLength: 16, refused: ["passwordpassword"]), reservedSubdomains: ["billing"])

    /// Refused as too short, refused as known, taken.
    private static let passwords = [("short but legal", 422), ("PasswordPassword", 422), ("a longer one of mine", 201)]

    @Test("a new password is as long as the operator says and none of those refused, wherever it is set")
    func passwords() async throws {
        try await TestService.run(policies: Self.policies) { service in
            let tenant = try await service.createTenant("acme")
            let admin = try service.token(tenant.id)
            for (number, (password, status)) in Self.passwords.enumerated() {
                let user = try await service.send(
                    .post, "/api/v1/users", as: admin,
                    json: CreateUserRequest(
                        email: "u\(number)@acme.example", name: "U", password: password, roles: ["user"]))
                #expect(user.status == status, "\(password): \(user.text)")
            }
            let user: User = try await service.send(
                .post, "/api/v1/users", as: admin,
                json: CreateUserRequest(email: "v@acme.example", name: "V", roles: ["user"])
            ).data()
            for (password, status) in Self.passwords {
                let changed = try await service.send(
                    .patch, "/api/v1/users/\(user.id)", as: admin, json: UpdateUserRequest(password: password))
                #expect(changed.status == (status == 201 ? 200 : status), "\(password): \(changed.text)")
                let made = try await service.send(
                    .post, "/api/v1/tenants", as: service.operatorToken,
                    json: CreateTenantRequest(
                        name: "Other", subdomain: try #require(Subdomain(rawValue: "other")),
                        adminEmail: "a@other.example", adminPassword: password, defaults: false))
                #expect(made.status == status && made.text.contains("adminPassword") == (status == 422), "\(made.text)")
            }
        }
    }

    @Test("a refused password leaves the token of an invitation or a reset as it was")
    func tokens() async throws {
        try await TestService.run(policies: Self.policies) { service in
            let tenant = try await service.createTenant("acme")
            let admin = try await service.administrator(of: tenant.id)
            _ = try await service.send(
                .post, "/api/v1/invitations", as: service.token(tenant.id, subject: admin.description),
                json: CreateInvitationRequest(email: "mia@acme.example", name: "Mia", roles: ["user"]))
            let invited = try #require(try await service.claimMessages().first)
            for (password, status) in Self.passwords {
                let answer = try await service.send(
                    .post, "/api/v1/auth/invitations/accept", as: service.publicToken(tenant.id),
                    json: AcceptInvitationRequest(token: invited.token, password: password))
                #expect(answer.status == status, "\(password): \(answer.text)")
            }
            _ = try await service.send(
                .post, "/api/v1/auth/password-reset", as: service.publicToken(tenant.id),
                json: PasswordResetRequest(email: "mia@acme.example"))
            let reset = try #require(try await service.claimMessages().first)
            for (password, status) in Self.passwords {
                let answer = try await service.send(
                    .post, "/api/v1/auth/password-reset/confirm", as: service.publicToken(tenant.id),
                    json: ConfirmPasswordResetRequest(token: reset.token, password: password))
                #expect(answer.status == (status == 201 ? 204 : status), "\(password): \(answer.text)")
            }
        }
    }

    @Test("a subdomain that the operator reserves is refused, another is not")
    func subdomains() async throws {
        try await TestService.run(policies: Self.policies) { service in
            for (name, status) in [("billing", 422), ("billings", 201)] {
                let made = try await service.send(
                    .post, "/api/v1/tenants", as: service.operatorToken,
                    json: CreateTenantRequest(
                        name: "T", subdomain: try #require(Subdomain(rawValue: name)), adminEmail: "a@b.example",
                        adminPassword: TestService.password, defaults: false))
                #expect(made.status == status, "\(made.text)")
            }
        }
    }
}
