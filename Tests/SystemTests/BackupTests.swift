import Contracts
import Foundation
import TestSupport
import Testing

extension SystemTests {
    @Suite struct Backup {
        private struct Before: Sendable {
            let tenant: String
            let question: String
            let prediction: JSONValue
            let bearer: String?
        }

        @Test("a backup restored into a younger cluster predicts the same, and verifies, imports and logs in")
        func restored() async throws {
            let folder = FileManager.default.temporaryDirectory.appendingPathComponent("erm-backup-\(UUID())")
            defer { try? FileManager.default.removeItem(at: folder) }
            let before = try await Platform.withPlatform { platform -> Before in
                let before = try await predicted(platform)
                let url = platform.databases.superuser
                try await waitUntil("schemas are made ahead") { try await Self.madeAhead(in: url) > 0 }
                try await Command.script("backup", [folder.path, "--database", platform.databases.superuser])
                try await purged(platform, before.tenant)
                return before
            }

            let database = try await PostgresCluster.databaseElsewhere()
            try await Command.script(
                "restore", [folder.path, "--database", database],
                environment: Dictionary(
                    uniqueKeysWithValues: ["gateway", "tenant_admin", "ml_training", "ml_prediction"].map {
                        ("\($0)_password", ServiceDatabases.password)
                    }))
            #expect(try await Self.madeAhead(in: database) == 0)
            try await Platform.withPlatform(on: try ServiceDatabases(superuser: database)) { platform in
                let old = try await Client(platform: platform, bearer: before.bearer).get("/employees")
                #expect(old.status == 401)
                let login = try await platform.logIn("acme", tenant: before.tenant)
                try #require(login.status == 200, "\(login)")
                let client = Client(platform: platform, bearer: login.data["accessToken"]?.stringValue)

                // More than once: the second question follows the feed from where the first has left it.
                for _ in 0..<3 {
                    let answer = try await client.post("/predictions", before.question)
                    try #require(answer.status == 200 || answer.status == 201, "\(answer)")
                    #expect(Self.comparable(answer.data) == before.prediction)
                }
                let more = try await client.upload(.employees, "external_id,name\nNew,New\n")
                #expect((200...201).contains(more.status))
                let new = try await client.get("/employees?externalId=New").data.items.first?["id"]?.stringValue
                let known = try #require(new)
                let asked = before.question.replacing(/"employeeId": "[^"]*"/, with: "\"employeeId\": \"\(known)\"")
                let answer = try await client.post("/predictions", asked)
                #expect(answer.status == 200 || answer.status == 201, "\(answer)")
                let verified = try await client.get("/audit-logs/verification")
                #expect(verified.data["isWhole"] == .bool(true), "\(verified)")
                let next = try await platform.asOperator.get("/tenants")
                #expect(next.data.items.count == 1)
                _ = try await platform.tenant("second")
            }
        }

        @Test("a tenant whose subdomain makes its schema look like one made ahead is in the backup")
        func readyTenant() async throws {
            let folder = FileManager.default.temporaryDirectory.appendingPathComponent("erm-backup-\(UUID())")
            defer { try? FileManager.default.removeItem(at: folder) }
            let listing = folder.appendingPathComponent("list")
            try await ServiceDatabases.withDatabases("backup") { databases in
                // As `TenantNames` calls that of the subdomain ready-team.
                for schema in ["tenant_ready_hteam", "tenant_ready_0123456789abcdef0123456789abcdef"] {
                    try await ServiceDatabases.run(
                        "CREATE SCHEMA \(schema); CREATE TABLE \(schema).employees ()", on: databases.superuser)
                }
                try await Command.script("backup", [folder.path, "--database", databases.superuser])
            }
            let list = try ChildProcess(
                "pg_restore", ["--list", folder.appendingPathComponent("database.dump").path], output: listing)
            #expect(await list.exitCode == 0)
            let text = try String(contentsOf: listing, encoding: .utf8)
            #expect(text.contains("TABLE DATA tenant_ready_hteam employees"))
            #expect(!text.contains("tenant_ready_0123456789abcdef"))
        }

        /// Schemas of tenants to come and what is noted of them: beside the installation that made them their ids would be given twice.
        private static func madeAhead(in database: String) async throws -> Int {
            let count = try await ServiceDatabases.value(
                """
                SELECT ((SELECT count(*) FROM tenant_admin.ready_roles) + (SELECT count(*) FROM tenant_admin.ready_schemas)
                    + (SELECT count(*) FROM pg_namespace WHERE nspname ~ '^tenant_ready_[0-9a-f]{32}$'))::text
                """, on: database)
            return try #require(count.flatMap { Int($0) })
        }

        /// Every service removes what it has of a tenant, and a search through all schemas finds nothing of it.
        private func purged(_ platform: Platform, _ tenant: String) async throws {
            let url = platform.databases.superuser
            let before = try await TenantTraces.tables(holding: tenant, in: url)
            for table in ["gateway.sessions", "ml_training.models", "ml_prediction.predictions"] {
                #expect(before.contains(table))
            }
            let deleted = try await platform.asOperator.send("DELETE", "/tenants/\(tenant)", body: [], type: nil)
            try #require(deleted.status == 200, "\(deleted)")
            let begun = try await platform.asOperator.post("/tenants/\(tenant)/purge")
            try #require(begun.status == 204, "\(begun)")
            for _ in 0..<2400 {
                if try await platform.asOperator.get("/tenants/\(tenant)").status == 404 { break }
                try await Task.sleep(for: .milliseconds(100))
            }
            #expect(try await platform.asOperator.get("/tenants/\(tenant)").status == 404)
            #expect(try await TenantTraces.tables(holding: tenant, in: url) == [])
            _ = try await platform.makeTenant("acme")
        }

        private func predicted(_ platform: Platform) async throws -> Before {
            let tenant = try await platform.makeTenant("acme")
            let login = try await platform.logIn("acme", tenant: tenant)
            let client = Client(platform: platform, bearer: login.data["accessToken"]?.stringValue)
            try await SmallHistory().load(client)
            let job = try await client.trained(asOf: SmallHistory().asOf, epochs: 10)
            let model = try #require(job["modelId"]?.stringValue)
            let deployed = try await client.post("/models/\(model)/deploy", #"{"force": true}"#)
            try #require(deployed.status == 200, "\(deployed)")
            let employee = try #require(
                try await client.get("/employees?externalId=E1").data.items.first?["id"]?.stringValue)
            let project = try #require(
                try await client.get("/projects?externalId=J1").data.items.first?["id"]?.stringValue)
            let question =
                #"{"employeeId": "\#(employee)", "projectId": "\#(project)", "plannedHours": 10, "asOf": "\#(SmallHistory().asOf)"}"#
            let answer = try await client.post("/predictions", question)
            try #require(answer.status == 200 || answer.status == 201, "\(answer)")
            return Before(
                tenant: tenant, question: question, prediction: Self.comparable(answer.data), bearer: client.bearer)
        }

        /// Without what is new with every prediction.
        private static func comparable(_ prediction: JSONValue) -> JSONValue {
            guard case .object(var fields) = prediction else { return prediction }
            fields["predictionId"] = nil
            return .object(fields)
        }
    }
}
