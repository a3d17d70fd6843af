import Contracts
import Foundation
import HTTPTypes
import Testing

@testable import TenantAdmin

@Suite("First password")
struct FirstPasswordTests {
    @Test("the administrator of a tenant that was made without a password sets one with the token that is sent")
    func setByToken() async throws {
        try await TestService.run { service in
            let made = try await service.send(
                .post, "/api/v1/tenants", as: service.operatorToken,
                text: #"{"name":"Acme","subdomain":"acme","adminEmail":"admin@acme.example"}"#)
            let tenant = try made.data(Tenant.self)
            func logIn(_ password: String) async throws -> Int {
                try await service.send(
                    .post, "/internal/v1/tenants/\(tenant.id)/credentials/verify", as: service.token(of: .gateway),
                    json: LoginRequest(email: "admin@acme.example", password: password)
                ).status
            }
            let before = try await logIn(TestService.password)
            let message = try #require(try await service.claimMessages().first)
            let confirmed = try await service.send(
                .post, "/api/v1/auth/password-reset/confirm", as: service.publicToken(tenant.id),
                json: ConfirmPasswordResetRequest(token: message.token, password: TestService.password))

            #expect(made.status == 201)
            #expect(before == 401)
            #expect(message.kind == .passwordReset && message.email == "admin@acme.example")
            #expect(message.expiresAt > Date(timeIntervalSinceNow: 6 * 86_400))
            #expect(confirmed.status == 204)
            #expect(try await logIn(TestService.password) == 200)
            // One that has a password is sent nothing.
            _ = try await service.createTenant("other")
            #expect(try await service.claimMessages().isEmpty)
        }
    }
}
