import Contracts
import Foundation
import Testing

@testable import Gateway
@testable import ServiceKit

@Suite("Usage, over live sockets and a real database", .timeLimit(.minutes(3)))
struct UsageTests {
    @Test("admitted requests are counted for the tenant, refused and public ones are not")
    func counted() async throws {
        try await RunningGateway.with { gateway async throws in
            let tenant = gateway.tenantAdmin.addTenant(subdomain: "acme")
            _ = gateway.tenantAdmin.addUser("ada@acme.example", "correct horse battery", in: tenant.id, .user)
            let tokens: TokenResponse = try await gateway.logIn(
                "ada@acme.example", "correct horse battery", tenant.id
            ).data()
            #expect(try await gateway.send("GET", "/api/v1/employees", token: tokens.accessToken).status == 200)
            #expect(try await gateway.send("GET", "/api/v1/auth/me", node: 1, token: tokens.accessToken).status == 200)
            #expect(try await gateway.send("GET", "/api/v1/employees", token: "not.a.token").status == 401)
            #expect(try await gateway.send("GET", "/api/v1/audit-logs", token: tokens.accessToken).status == 403)
            #expect(try await gateway.send("GET", "/api/v1/openapi.json").status == 200)
            let counts = gateway.usage.take()
            #expect(counts.map(\.apiCalls) == [2] && counts.map(\.tenantId) == [tenant.id])
        }
    }
}
