import Contracts
import Foundation
import HTTPTypes
import Postgres
import TestSupport
import Testing

@testable import TenantAdmin

@Suite("Accounts: one address, one person, one generation of sessions")
struct AccountTests {
    private func principal(_ service: TestService, _ user: UserID, of tenant: TenantID) async throws -> UserGrants {
        try await service.send(
            .get, "/internal/v1/tenants/\(tenant)/principals/\(user)", as: service.token(of: .gateway)
        ).data()
    }

    private func make(
        _ service: TestService, _ email: String, _ roles: [String] = ["user"], in tenant: TenantID
    ) async throws -> Reply {
        try await service.send(
            .post, "/api/v1/users", as: service.token(tenant),
            json: CreateUserRequest(email: email, name: "Somebody", password: TestService.password, roles: roles))
    }

    @Test("a deactivated user's sessions stay ended after reactivation")
    func generation() async throws {
        try await TestService.run { service in
            let tenant = try await service.createTenant("acme")
            let user: User = try await make(service, "mia@acme.example", in: tenant.id).data()
            for (isActive, expected) in [(false, 2), (true, 2), (true, 2), (false, 3)] {
                let answer = try await service.send(
                    .patch, "/api/v1/users/\(user.id)", as: service.token(tenant.id),
                    json: UpdateUserRequest(isActive: isActive))
                #expect(answer.status == 200)
                let known = try await principal(service, user.id, of: tenant.id)
                #expect(known.credentialVersion == expected && known.isActive == isActive)
            }
        }
    }

    @Test("an address in another case or another Unicode form is the same at creation, login and invitation")
    func oneAddress() async throws {
        try await TestService.run { service in
            let tenant = try await service.createTenant("acme")
            let user: User = try await make(service, "jörg@acme.example", in: tenant.id).data()
            func owner(_ address: String) async throws -> Reply {
                try await service.send(
                    .post, "/internal/v1/tenants/\(tenant.id)/credentials/owner", as: service.token(of: .gateway),
                    json: AddressOwnerRequest(email: address))
            }
            #expect(try await owner("nobody@acme.example").status == 404)
            for spelling in ["JÖRG@acme.example", "jo\u{308}rg@acme.example", "JO\u{308}RG@ACME.EXAMPLE"] {
                #expect(try await make(service, spelling, in: tenant.id).status == 409)
                let login = try await service.send(
                    .post, "/internal/v1/tenants/\(tenant.id)/credentials/verify", as: service.token(of: .gateway),
                    json: LoginRequest(email: spelling, password: TestService.password))
                #expect(login.status == 200, "\(spelling)")
                #expect(try await owner(spelling).data() == AddressOwner(userId: user.id))
                let invited = try await service.send(
                    .post, "/api/v1/invitations", as: service.token(tenant.id),
                    json: CreateInvitationRequest(email: spelling, name: "J"))
                #expect(invited.status == 409)
            }
        }
    }

    @Test("of two stored users with the same address the older active one keeps it")
    func carriedOver() async throws {
        try await TestService.run(tenantMigrations: try UpgradeTests.migrations(upTo: 35)) { service in
            try await service.schemas.migrateAll()
            func inTemplate<R: Sendable>(
                _ body: @escaping @Sendable (PostgresConnection) async throws -> R
            ) async throws -> R {
                try await UpgradeTests.inTemplate(service) { try await body($0) }
            }
            try await inTemplate { connection in
                _ = try await connection.execute(
                    """
                    INSERT INTO users (email, name, is_active, created_at) VALUES
                        ('jörg@x.de', 'inactive', false, '2020-01-01'), ('JO\u{308}RG@x.de', 'older', true, '2021-01-01'),
                        ('ada@x.de', 'ada', true, '2022-01-01')
                    """)
            }
            try await TenantSchemas(
                pool: service.pool, migrationsDirectory: ServiceDatabases.migrations("tenant"),
                logger: PostgresCluster.quietLogger
            ).migrateAll()
            let names: [String] = try await inTemplate { connection in
                try await connection.query("SELECT name FROM users WHERE address_taken_by IS NULL ORDER BY name").map {
                    try $0.decode("name")
                }
            }
            #expect(names == ["ada", "older"])
        }
    }

    @Test("a caller may update users whose permissions the caller holds, and the problem for others says why")
    func helpers() async throws {
        try await TestService.run { service in
            let tenant = try await service.createTenant("acme")
            let equal: User = try await make(service, "eve@acme.example", ["user"], in: tenant.id).data()
            let above: User = try await make(service, "max@acme.example", ["manager"], in: tenant.id).data()
            let helper = try service.token(
                tenant.id, DefaultRole.user.permissions + [Permission(resource: "users", actions: ["read", "update"])])
            let allowed = try await service.send(
                .patch, "/api/v1/users/\(equal.id)", as: helper, json: UpdateUserRequest(name: "Eve"))
            #expect(allowed.status == 200)
            let refused = try await service.send(
                .patch, "/api/v1/users/\(above.id)", as: helper, json: UpdateUserRequest(name: "Max"))
            #expect(refused.status == 403)
            let sentence = try WireJSON.decode(Problem.self, from: refused.bytes).error
            #expect(sentence.hasPrefix("This user holds permissions that you do not"), "\(sentence)")
        }
    }

    @Test("an upload of a user who was deactivated meanwhile is not applied")
    func uploadOfDeactivated() async throws {
        try await TestService.run { service in
            let tenant = try await service.createTenant("acme")
            let user: User = try await make(service, "mia@acme.example", ["admin"], in: tenant.id).data()
            let token = try service.token(tenant.id, subject: user.id.description)
            func upload() async throws -> Int {
                try await service.send(
                    .post, "/api/v1/imports?kind=employees", as: token, body: Array(ImportTests.people.utf8),
                    type: "text/csv"
                ).status
            }
            _ = try await service.send(
                .patch, "/api/v1/users/\(user.id)", as: service.token(tenant.id),
                json: UpdateUserRequest(isActive: false))
            #expect(try await upload() == 403)
            #expect(try await service.all("employees", of: tenant.id, as: Employee.self).isEmpty)
            _ = try await service.send(
                .patch, "/api/v1/users/\(user.id)", as: service.token(tenant.id),
                json: UpdateUserRequest(isActive: true))
            #expect(try await upload() == 201)
        }
    }

    @Test("a completed reset names its account to the gateway only")
    func proven() async throws {
        try await TestService.run { service in
            let tenant = try await service.createTenant("acme")
            _ = try await service.send(
                .post, "/api/v1/auth/password-reset", as: service.publicToken(tenant.id),
                json: PasswordResetRequest(email: "ADMIN@acme.example"))
            let message = try #require(try await service.claimMessages().first)
            let confirmed = try await service.send(
                .post, "/api/v1/auth/password-reset/confirm", as: service.publicToken(tenant.id),
                json: ConfirmPasswordResetRequest(token: message.token, password: "another good password"))
            let name = try #require(HTTPField.Name(HeaderName.provenAccount))
            let bytes = confirmed.headers[name].flatMap { Base64URL.decode($0) }
            #expect(bytes.map { String(decoding: $0, as: UTF8.self) } == "admin@acme.example")
            #expect(confirmed.bytes.isEmpty)
        }
    }
}
