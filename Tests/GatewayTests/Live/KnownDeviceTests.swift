import Contracts
import Foundation
import HTTPTypes
import ServiceIdentity
import Testing

@testable import Gateway

@Suite("Lockout is no weapon, over live sockets and a real database", .timeLimit(.minutes(3)))
struct KnownDeviceTests {
    private let email = "ada@acme.example"
    private let password = "correct horse battery"

    /// Ada of a tenant of her own, who has logged in once.
    private func withAda(
        _ body: @escaping @Sendable (RunningGateway, TenantID, _ cookie: String) async throws -> Void
    ) async throws {
        try await RunningGateway.with { gateway async throws in
            let tenant = gateway.tenantAdmin.addTenant(subdomain: "acme")
            _ = gateway.tenantAdmin.addUser(email, password, in: tenant.id)
            let first = try await gateway.logIn(email, password, tenant.id)
            let field = try #require(first.header("Set-Cookie"))
            #expect(field.contains("HttpOnly") && field.contains("SameSite=Strict") && !field.contains("Secure"))
            try await body(gateway, tenant.id, String(field.prefix { $0 != ";" }))
        }
    }

    private func logIn(
        _ gateway: RunningGateway, _ tenant: TenantID, _ password: String, cookie: String, email: String? = nil
    ) async throws -> Reply {
        try await gateway.send(
            "POST", "/api/v1/auth/login", node: 1, tenant: tenant, headers: [("Cookie", "a=b; \(cookie)")],
            json: LoginRequest(email: email ?? self.email, password: password))
    }

    @Test(
        "guesses lock out unknown devices, and not the owner's known device"
    )
    func passes() async throws {
        try await withAda { gateway, tenant, cookie async throws in
            for _ in 0...LockoutPolicy.standard.account.free {
                #expect(try await gateway.logIn(email, "guess", tenant).status == 401)
            }
            #expect(try await gateway.logIn(email, password, tenant).code == .lockedOut)
            #expect(try await logIn(gateway, tenant, password, cookie: cookie).status == 200)
            #expect(try await gateway.logIn(email, password, tenant).code == .lockedOut)
        }
    }

    @Test("a known device gets no more guesses than an unknown one, and locks no other client out")
    func deviceGuesses() async throws {
        try await withAda { gateway, tenant, cookie async throws in
            for _ in 0...LockoutPolicy.standard.device.free {
                #expect(try await logIn(gateway, tenant, "guess", cookie: cookie).status == 401)
            }
            #expect(try await logIn(gateway, tenant, password, cookie: cookie).code == .lockedOut)
            #expect(try await gateway.logIn(email, password, tenant).status == 200)
        }
    }

    @Test("a forged device cookie, or another account's, is ignored")
    func forged() async throws {
        try await withAda { gateway, tenant, cookie async throws in
            _ = gateway.tenantAdmin.addUser("bob@acme.example", password, in: tenant)
            for _ in 0...LockoutPolicy.standard.account.free {
                _ = try await gateway.logIn(email, "guess", tenant)
                _ = try await gateway.logIn("bob@acme.example", "guess", tenant)
            }
            let changed = cookie.dropLast(4) + (cookie.hasSuffix("AAAA") ? "BBBB" : "AAAA")
            #expect(try await logIn(gateway, tenant, password, cookie: String(changed)).code == .lockedOut)
            let other = try await logIn(gateway, tenant, password, cookie: cookie, email: "bob@acme.example")
            #expect(other.code == .lockedOut)
        }
    }

    @Test("a completed reset unlocks, and makes the device known; the address of the account stays inside")
    func reset() async throws {
        try await withAda { gateway, tenant, _ async throws in
            for _ in 0...LockoutPolicy.standard.account.free { _ = try await gateway.logIn(email, "guess", tenant) }
            #expect(try await gateway.logIn(email, password, tenant).code == .lockedOut)
            let reset = try await gateway.send(
                "POST", "/api/v1/auth/password-reset/confirm", tenant: tenant, json: ["token": email])
            #expect(reset.status == 204)
            #expect(reset.header("X-ERM-Proven-Account") == nil)
            let cookie = String(try #require(reset.header("Set-Cookie")).prefix { $0 != ";" })
            #expect(try await gateway.logIn(email, password, tenant).status == 200)
            for _ in 0...LockoutPolicy.standard.account.free { _ = try await gateway.logIn(email, "guess", tenant) }
            #expect(try await logIn(gateway, tenant, password, cookie: cookie).status == 200)
        }
    }

    @Test("failures before a successful login no longer count against the address")
    func mistyped() async throws {
        try await withAda { gateway, tenant, _ async throws in
            // Each round two failures; without forgiving, the address would be locked in the 26th.
            for round in 1...27 {
                let node = round % 2
                #expect(try await gateway.logIn(email, "typo", tenant, node: node).status == 401)
                #expect(try await gateway.logIn(email, "typo", tenant, node: node).status == 401)
                #expect(try await gateway.logIn(email, password, tenant, node: node).status == 200)
                gateway.clock.advance(1)
            }
        }
    }

    @Test("an address's failures are forgotten while it is in use")
    func addressForgets() async throws {
        try await RunningGateway.with { gateway async throws in
            let store = PostgresLockoutStore(database: gateway.database)
            let tenant = TenantID()
            func attempt(_ number: Int, at seconds: Int) -> LoginAttempt {
                LoginAttempt(
                    tenant: tenant, email: "\(number)@acme.example", address: .unknown,
                    begunAt: Fixture.date.addingTimeInterval(TimeInterval(seconds)))
            }
            // Another tenant's typo every half minute, for hours.
            for number in 0..<50 {
                let login = attempt(number, at: 0)
                #expect(try await store.begin(login) == .begun)
                try await store.failed(login, now: login.begunAt)
            }
            for number in 50..<60 {
                let login = attempt(number, at: 65 * (number - 49))
                #expect(try await store.begin(login) == .begun)
                try await store.failed(login, now: login.begunAt)
            }
        }
    }

    @Test("addresses that differ in case or in how Unicode writes them are one account")
    func folding() {
        let tenant = TenantID()
        let spellings = [
            "jörg@acme.example", "JÖRG@ACME.EXAMPLE", "jo\u{308}rg@acme.example", "JO\u{308}RG@acme.example",
        ]
        #expect(Set(spellings.map { LoginAttempt.account(tenant, $0) }).count == 1)
    }
}
