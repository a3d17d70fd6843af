import Contracts
import Foundation
import Testing

extension SystemTests {
    @Suite struct Revocations {
        @Test("with three gateway nodes every revocation is seen by each, and none lets the user in again")
        func threeNodes() async throws {
            try await Platform.withPlatform(gateways: 3) { platform in
                let nodes = platform.gatewayURLs.flatMap { ["--node", $0] }
                let text = try await Command.run(
                    "ermctl", ["bench", "revocation", "--url", platform.url, "--changes", "20"] + nodes,
                    environment: ["ERM_OPERATOR_KEY": platform.operatorKey])
                let figures = Dictionary(
                    text.split(separator: "\n").map { line in
                        let parts = line.split(separator: "=")
                        return (String(parts[0]), parts.count > 1 ? String(parts[1]) : "")
                    }, uniquingKeysWith: { $1 })
                #expect(figures["nodes"] == "3" && figures["revocations"] == "20", "\(text)")
            }
        }

        @Test(
            "a gateway without its tenant-admin admits no caller, cached or not, until tenant-admin is back"
        )
        func tenantAdminGone() async throws {
            try await Platform.withPlatform { platform in
                let client = try await platform.tenant("acme")
                #expect(try await client.get("/auth/me").status == 200)
                await platform.tenantAdmin.kill()
                var status = 200
                // A request that the kill has met may be told otherwise first.
                for _ in 0..<600 where status != 503 {
                    status = try await client.get("/auth/me").status
                    try await Task.sleep(for: .milliseconds(100))
                }
                #expect(status == 503)
                try platform.tenantAdmin.start()
                try await platform.waitUntilReady(platform.tenantAdmin)
                for _ in 0..<600 where status != 200 {
                    status = try await client.get("/auth/me").status
                    try await Task.sleep(for: .milliseconds(100))
                }
                #expect(status == 200)
            }
        }
    }
}
