import Contracts
import Foundation
import HTTPClient
import TestSupport
import Testing

extension SystemTests.OnOnePlatform {
    /// What somebody with tenant-admin's own database login does to the audit log while the services run.
    @Suite struct AuditAttacks {
        /// Cuts off the last entries, and says so nowhere.
        private static let cutting = """
            DELETE FROM audit_logs WHERE seq > 2;
            UPDATE audit_head SET (seq, hash) = (SELECT seq, hash FROM audit_logs WHERE seq = 2);
            """

        /// Changes an entry, and hashes all that follow anew.
        private static let rehashing = #"""
            UPDATE audit_logs SET actor = 'somebody else' WHERE seq = 2;
            DO $$
            DECLARE
                link audit_logs;
                last bytea := '\x';
            BEGIN
                FOR link IN SELECT * FROM audit_logs ORDER BY seq LOOP
                    link.previous_hash := last;
                    last := sha256(last || convert_to(audit_canonical(link), 'UTF8'));
                    UPDATE audit_logs SET previous_hash = link.previous_hash, hash = last WHERE seq = link.seq;
                END LOOP;
                UPDATE audit_head SET hash = last;
            END
            $$;
            """#

        @Test("what the service's own login changes in an audit log is found by the platform and by ermctl")
        func found() async throws {
            try await Platform.withShared { platform in
                for (subdomain, attack) in [("cut", Self.cutting), ("rehashed", Self.rehashing)] {
                    let tenant = try await platform.makeTenant(subdomain)
                    let login = try await platform.logIn(subdomain, tenant: tenant)
                    let client = Client(platform: platform, bearer: login.data["accessToken"]?.stringValue)
                    for name in ["p", "q", "r"] {
                        let made = try await client.post("/projects", #"{"externalId": "\#(name)", "name": "P"}"#)
                        try #require(made.status == 201, "\(made)")
                    }
                    let kept = try await anchored(client)
                    let before = try await client.get("/audit-logs/verification")
                    #expect(before.data["isWhole"] == .bool(true), "\(before)")
                    #expect(try await verify(client, kept, platform).isWhole)

                    try await attacked(attack, subdomain, platform)
                    let chain = try await ServiceDatabases.value(
                        "SELECT \"tenant_\(subdomain)\".audit_first_break()", on: platform.databases.superuser)
                    #expect(chain == nil, "the attack is to leave a chain that is whole by itself")
                    // The service goes on writing, and signs what it finds.
                    let more = try await client.post("/projects", #"{"externalId": "s", "name": "P"}"#)
                    #expect(more.status == 201, "\(more)")
                    let after = try await client.get("/audit-logs/verification")
                    #expect(after.status == 200 && after.data["isWhole"] == .bool(false), "\(after)")
                    #expect(after.data["firstBrokenSeq"]?.doubleValue != nil, "\(after)")
                    let export = try await verify(client, kept, platform)
                    #expect(!export.isWhole && export.text.contains("does not hold"), "\(export)")
                }
            }
        }

        /// The signed heads, once the newest entry is among them: a file as a tenant keeps it.
        private func anchored(_ client: Client) async throws -> URL {
            let end = ContinuousClock.now + Platform.patience
            while true {
                let verified = try await client.get("/audit-logs/verification")
                let newest = try await client.get("/audit-logs?limit=1").data.items.first?["seq"]?.doubleValue
                if let newest, verified.data["confirmedSeq"]?.doubleValue ?? 0 >= newest { break }
                try #require(.now < end, "no head was signed: \(verified)")
                try await Task.sleep(for: .milliseconds(200))
            }
            return try await saved("/audit-logs/heads", client)
        }

        private func attacked(_ attack: String, _ subdomain: String, _ platform: Platform) async throws {
            let role = try await ServiceDatabases.value(
                "SELECT nspowner::regrole FROM pg_namespace WHERE nspname = 'tenant_\(subdomain)'",
                on: platform.databases.superuser)
            try await ServiceDatabases.run(
                """
                BEGIN;
                SET LOCAL ROLE \(try #require(role));
                SET LOCAL search_path = "tenant_\(subdomain)";
                GRANT UPDATE, DELETE ON audit_logs TO current_user;
                ALTER TABLE audit_logs DISABLE TRIGGER audit_logs_append_only;
                \(attack)
                ALTER TABLE audit_logs ENABLE TRIGGER audit_logs_append_only;
                REVOKE UPDATE, DELETE ON audit_logs FROM current_user;
                COMMIT;
                """, on: platform.databases.tenantAdmin)
        }

        /// `ermctl audit verify` of an export, with the heads that were kept.
        private func verify(
            _ client: Client, _ kept: URL, _ platform: Platform
        ) async throws -> (isWhole: Bool, text: String) {
            let file = try await saved("/audit-logs/export", client)
            do {
                let text = try await Command.run(
                    "ermctl",
                    ["audit", "verify", file.path, "--keys", platform.publicKeys.path, "--kept", kept.path])
                return (text.contains("whole=yes"), text)
            } catch let failure as RunningService.Failure {
                return (false, failure.description)
            }
        }

        private func saved(_ path: String, _ client: Client) async throws -> URL {
            let request = HTTPClientRequest(
                method: "GET", url: "\(client.platform.url)/api/v1\(path)",
                headers: [("Authorization", "Bearer \(client.bearer ?? "")")], body: .none, deadline: .seconds(60))
            let response = try await client.platform.http.execute(request)
            try #require(response.status == 200)
            let file = FileManager.default.temporaryDirectory.appendingPathComponent("erm-audit-\(UUID())")
            try Data(try await response.collect(upTo: 16 << 20)).write(to: file)
            return file
        }
    }
}
