import Contracts
import Foundation
import HTTPClient
import Synchronization
import TestSupport
import Testing

@testable import Gateway

@Suite("Answers that take long, over live sockets and a real database", .timeLimit(.minutes(3)))
struct StreamTests {
    private static let password = "correct horse battery"

    enum Revocation: CaseIterable, Sendable { case logOut, suspension, role, password, outage }

    private struct Login: Sendable {
        let gateway: RunningGateway
        let tokens: TokenResponse
        let tenant: TenantID
        let user: UserID
    }

    /// A user's stream of events. It ends by itself after a while, so that a test whose guard is gone fails and does not
    /// wait for ever.
    private func withStream(
        _ body: @escaping @Sendable (Login, HTTPClientResponse) async throws -> Void
    ) async throws {
        try await RunningGateway.with { gateway async throws in
            let tenant = gateway.tenantAdmin.addTenant(subdomain: "acme")
            let user = gateway.tenantAdmin.addUser("ada@acme.example", Self.password, in: tenant.id)
            let tokens: TokenResponse = try await gateway.logIn("ada@acme.example", Self.password, tenant.id).data()
            let response = try await gateway.client.execute(
                HTTPClientRequest(
                    url: gateway.urls[1] + "/api/v1/training/jobs/\(UUID())/events",
                    headers: [("Authorization", "Bearer \(tokens.accessToken)")], deadline: .seconds(150)))
            #expect(response.status == 200)
            try await body(Login(gateway: gateway, tokens: tokens, tenant: tenant.id, user: user), response)
        }
    }

    /// The same, whose first event has been read.
    private func withBegunStream(
        _ body: @escaping @Sendable (Login, inout HTTPClientResponseBody.AsyncIterator) async throws -> Void
    ) async throws {
        try await withStream { login, response in
            var events = response.body.makeAsyncIterator()
            #expect(try await events.next() == Array("data: first\n\n".utf8))
            try await body(login, &events)
        }
    }

    @Test("an idle stream is cut off when its reader's access is revoked", arguments: Revocation.allCases)
    func revoked(revocation: Revocation) async throws {
        try await withBegunStream { login, events in
            let (gateway, tenantAdmin) = (login.gateway, login.gateway.tenantAdmin)
            switch revocation {
            case .logOut:
                let answer = try await gateway.send(
                    "POST", "/api/v1/auth/logout", json: RefreshRequest(refreshToken: login.tokens.refreshToken))
                #expect(answer.status == 204)
            case .suspension: tenantAdmin.setTenant(login.tenant, active: false)
            case .role: tenantAdmin.setUser(login.user, role: .user)
            case .password: tenantAdmin.setPassword("another password", of: login.user)
            case .outage: tenantAdmin.setBroken(true)
            }
            // Not by the deadline, and not as if it were whole.
            let error = await #expect(throws: HTTPClientError.self) { _ = try await events.next() }
            #expect(error?.code == .reset, "\(String(describing: error))")
        }
    }

    @Test("a stream outlasts the access token it was begun with, as long as the session goes on")
    func outlastsToken() async throws {
        try await withBegunStream { login, events in
            let gateway = login.gateway
            gateway.clock.advance(TimeInterval(AccessTokens.standardLifetime + 61))
            #expect(try await gateway.send("GET", "/api/v1/auth/me", token: login.tokens.accessToken).status == 401)
            let before = gateway.tenantAdmin.questions
            while gateway.tenantAdmin.questions < before + 4 { try await Task.sleep(for: .milliseconds(50)) }
            gateway.tenantAdmin.secondEvent.set()
            #expect(try await events.next() == Array("data: second\n\n".utf8))
            #expect(try await events.next() == nil)
        }
    }

    @Test("a stream does not hold up the stop of a gateway")
    func stop() async throws {
        let reader = Mutex<Task<HTTPClientError?, Never>?>(nil)
        try await withStream { _, response in
            let hasBegun = Signal()
            // Reads on while the nodes are stopped around it, which they are once `withStream` has returned.
            let task = Task { () -> HTTPClientError? in
                do {
                    for try await _ in response.body { hasBegun.set() }
                    return nil
                } catch {
                    return error as? HTTPClientError
                }
            }
            reader.withLock { $0 = task }
            await hasBegun.wait()
        }
        // By the stop, not by the reader's deadline.
        #expect(await reader.withLock { $0 }?.value?.code == .reset)
    }
}
