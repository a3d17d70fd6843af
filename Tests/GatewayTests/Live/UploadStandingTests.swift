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
    enum End: CaseIterable, Sendable {
        case deactivation, suspension, role, outage

        var status: Int {
            switch self {
            case .deactivation: 401
            case .suspension, .role: 403
            case .outage: 503
            }
        }
    }

    /// A user who may import, and how the user's access ends.
    private struct Sender: Sendable {
        let tenantAdmin: FakeTenantAdmin
        let tenant: TenantID
        let user: UserID
        let token: String
        let port: Int

        init(_ gateway: RunningGateway) async throws {
            tenantAdmin = gateway.tenantAdmin
            tenant = tenantAdmin.addTenant(subdomain: "acme").id
            user = tenantAdmin.addUser("ada@acme.example", "correct horse battery", in: tenant)
            let login = try await gateway.logIn("ada@acme.example", "correct horse battery", tenant)
            token = try login.data(TokenResponse.self).accessToken
            port = try #require(URL(string: gateway.urls[0])?.port)
        }

        /// The head of an upload and its first piece.
        var beginning: String {
            "POST /api/v1/imports?kind=employees HTTP/1.1\r\nHost: a\r\nContent-Type: text/csv\r\n"
                + "Authorization: Bearer \(token)\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"
        }

        func lose(_ end: End) {
            switch end {
            case .deactivation: tenantAdmin.setUser(user, active: false)
            case .suspension: tenantAdmin.setTenant(tenant, active: false)
            case .role: tenantAdmin.setUser(user, role: .viewer)
            case .outage: tenantAdmin.setBroken(true)
            }
        }
    }

    @Test("an upload is not completed upstream after its sender's access is revoked", arguments: End.allCases)
    func ended(end: End) async throws {
        try await RunningGateway.with { gateway async throws in
            let sender = try await Sender(gateway)
            let answer = try await RawConnection.connect(to: sender.port) { connection in
                try await connection.write(sender.beginning)
                await gateway.tenantAdmin.uploads.begun.wait()
                sender.lose(end)
                // What a directory may remember.
                try await Task.sleep(for: .milliseconds(600))
                try? await connection.write("5\r\nworld\r\n0\r\n\r\n")
                return try await connection.read(until: "\r\n\r\n")
            }
            #expect(answer.hasPrefix("HTTP/1.1 \(end.status) "), "\(answer)")
            #expect(gateway.tenantAdmin.uploads.completed.withLock { $0 } == 0)
        }
    }

    @Test("a sender whose access is revoked while a complete upload is applied is refused", arguments: End.allCases)
    func endedAfterLastByte(end: End) async throws {
        try await RunningGateway.with { gateway async throws in
            let uploads = gateway.tenantAdmin.uploads
            let mayComplete = Signal()
            uploads.mayComplete.withLock { $0 = mayComplete }
            defer { mayComplete.set() }
            let sender = try await Sender(gateway)
            let answer = try await RawConnection.connect(to: sender.port) { connection in
                try await connection.write("\(sender.beginning)0\r\n\r\n")
                await uploads.arrived.wait()
                sender.lose(end)
                return try await connection.read(until: "}")
            }
            #expect(answer.hasPrefix("HTTP/1.1 \(end.status) "), "\(answer)")
            // The service does not say whether it has applied it, and so the gateway cannot.
            #expect(answer.contains("look whether it was carried out"), "\(answer)")
        }
    }

    @Test(
        "a sender who loses access when a complete upload has been applied is told so, and is refused when it has not",
        arguments: [true, false], [true, false])
    func appliedBefore(isApplied: Bool, isChunked: Bool) async throws {
        try await RunningGateway.with { gateway async throws in
            let uploads = gateway.tenantAdmin.uploads
            uploads.isAppliedAtHangUp.withLock { $0 = isApplied }
            let sender = try await Sender(gateway)
            let long = String(repeating: "x", count: 100_000)
            let request =
                isChunked
                ? "\(sender.beginning)0\r\n\r\n"
                : "POST /api/v1/imports?kind=employees HTTP/1.1\r\nHost: a\r\nContent-Type: text/csv\r\n"
                    + "Authorization: Bearer \(sender.token)\r\nContent-Length: \(long.utf8.count)\r\n\r\n\(long)"
            let answer = try await RawConnection.connect(to: sender.port) { connection in
                try await connection.write(request)
                await uploads.arrived.wait()
                sender.lose(.deactivation)
                return try await connection.read(until: "\r\n\r\n")
            }
            #expect(answer.hasPrefix("HTTP/1.1 \(isApplied ? 204 : 401) "), "\(answer)")
            #expect(uploads.completed.withLock { $0 } == (isApplied ? 1 : 0))
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
