import Contracts
import Foundation
import HTTPClient
import NIOCore
import ServiceKit
import Synchronization
import TestSupport
import Testing

@testable import Gateway

@Suite(
    "Who sends an upload must still be allowed to when it ends, over live sockets and a real database",
    .timeLimit(.minutes(3)))
struct UploadStandingTests {
    enum End: CaseIterable, Sendable { case deactivation, suspension, role, outage }

    @Test("an upload is not completed upstream after its sender's access is revoked", arguments: End.allCases)
    func ended(end: End) async throws {
        try await RunningGateway.with { gateway async throws in
            let tenant = gateway.tenantAdmin.addTenant(subdomain: "acme")
            let user = gateway.tenantAdmin.addUser("ada@acme.example", "correct horse battery", in: tenant.id)
            let login = try await gateway.logIn("ada@acme.example", "correct horse battery", tenant.id)
            let tokens: TokenResponse = try login.data()
            let port = try #require(URL(string: gateway.urls[0])?.port)
            let answer = try await RawConnection.connect(to: port) { connection in
                try await connection.write(
                    "POST /api/v1/imports?kind=employees HTTP/1.1\r\nHost: a\r\nContent-Type: text/csv\r\n"
                        + "Authorization: Bearer \(tokens.accessToken)\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"
                )
                await gateway.tenantAdmin.uploads.begun.wait()
                switch end {
                case .deactivation: gateway.tenantAdmin.setUser(user, active: false)
                case .suspension: gateway.tenantAdmin.setTenant(tenant.id, active: false)
                case .role: gateway.tenantAdmin.setUser(user, role: .viewer)
                case .outage: gateway.tenantAdmin.setBroken(true)
                }
                // What a directory may remember.
                try await Task.sleep(for: .milliseconds(600))
                try? await connection.write("5\r\nworld\r\n0\r\n\r\n")
                return try await connection.read(until: "\r\n\r\n")
            }
            let status = end == .deactivation ? 401 : end == .outage ? 503 : 403
            #expect(answer.hasPrefix("HTTP/1.1 \(status) "), "\(answer)")
            #expect(gateway.tenantAdmin.uploads.completed.withLock { $0 } == 0)
        }
    }

    @Test("an upload of an authorised sender completes")
    func allowed() async throws {
        try await RunningGateway.with { gateway async throws in
            let tenant = gateway.tenantAdmin.addTenant(subdomain: "acme")
            _ = gateway.tenantAdmin.addUser("ada@acme.example", "correct horse battery", in: tenant.id)
            let login = try await gateway.logIn("ada@acme.example", "correct horse battery", tenant.id)
            let tokens: TokenResponse = try login.data()
            let (response, _) = try await gateway.client.execute(
                HTTPClientRequest(
                    method: "POST", url: gateway.urls[0] + "/api/v1/imports?kind=employees",
                    headers: [("Authorization", "Bearer \(tokens.accessToken)"), ("Content-Type", "text/csv")],
                    body: .bytes(Array(repeating: 0x61, count: 300_000))), collectingUpTo: 1000)
            #expect(response.status == 204)
            #expect(gateway.tenantAdmin.uploads.completed.withLock { $0 } == 1)
        }
    }
}
