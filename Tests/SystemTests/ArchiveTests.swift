import Contracts
import Foundation
import HTTPClient
import TestSupport
import Testing

extension SystemTests {
    @Suite struct Archive {
        @Test("a tenant with predictions and models comes back beside itself, file by file, with the ids that it had")
        func everythingBack() async throws {
            try await Platform.withPlatform { platform in
                let first = try await platform.makeTenant("acme")
                // With the same administrator, whose password stays.
                let second = try await platform.makeBareTenant("copy", administrator: "admin@acme.example")
                let client = try await platform.client("acme", first)
                try await SmallHistory().load(client)
                let prediction = try await filled(client)
                let archive = try await platform.export(first)
                defer { try? FileManager.default.removeItem(at: archive) }

                try await platform.restore([.ids], from: archive, into: second)
                let copier = try await platform.client("acme", second)
                for kind in ImportKind.allCases {
                    let lines = try Data(contentsOf: archive.appendingPathComponent("\(kind.rawValue).ndjson"))
                    let answer = try await copier.send(
                        "POST", "/imports?kind=\(kind.rawValue)", body: Array(lines), type: "application/x-ndjson")
                    try #require((200...201).contains(answer.status), "\(kind): \(answer)")
                }
                let rest = ArchiveKind.allCases.filter { $0 != .ids }
                try await platform.restore(rest, from: archive, into: second)
                // Once more: nothing is there twice.
                try await platform.restore(rest, from: archive, into: second)
                let copy = try await platform.export(second)
                defer { try? FileManager.default.removeItem(at: copy) }

                let (was, now) = (try manifest(archive), try manifest(copy))
                for file in was where !file.name.contains("audit_logs") {
                    #expect(now.first { $0.name == file.name } == file)
                }
                for kind in ArchiveKind.allCases where kind != .archivedAuditLogs {
                    #expect(was.first { $0.name == "\(kind.rawValue).ndjson" }.map(\.lines) ?? 0 > 0, "\(kind)")
                }
                // The restored administrator is the archive's, with the password that the address has here.
                try await bothAnswer(client, try await platform.client("acme", second), prediction)
            }
        }

        /// Trains, deploys, predicts, decides and says when to train again.
        /// - Returns: the prediction's id.
        private func filled(_ client: Client) async throws -> String {
            let job = try await client.trained(asOf: SmallHistory().asOf, epochs: 10)
            let model = try #require(job["modelId"]?.stringValue)
            let deployed = try await client.post("/models/\(model)/deploy", #"{"force": true}"#)
            try #require(deployed.status == 200, "\(deployed)")
            let employee = try #require(
                try await client.get("/employees?externalId=E1").data.items.first?["id"]?.stringValue)
            let project = try #require(
                try await client.get("/projects?externalId=J1").data.items.first?["id"]?.stringValue)
            var answer = Answer(status: 0, json: .null)
            for hours in [10, 12] {
                answer = try await client.post(
                    "/predictions",
                    #"{"employeeId": "\#(employee)", "projectId": "\#(project)", "plannedHours": \#(hours)}"#)
                try #require((200...201).contains(answer.status), "\(answer)")
            }
            let id = try #require(answer.data["predictionId"]?.stringValue)
            let decided = try await client.post("/predictions/\(id)/decision", #"{"decision": "accepted"}"#)
            try #require((200...201).contains(decided.status), "\(decided)")
            let scheduled = try await client.send(
                "PUT", "/training/schedule", body: Array(#"{"newOutcomes": 1000}"#.utf8), type: "application/json")
            try #require((200...201).contains(scheduled.status), "\(scheduled)")
            return id
        }

        /// The same prediction, with what was made of it, about the same person; and each tenant's figures for itself.
        private func bothAnswer(_ first: Client, _ second: Client, _ prediction: String) async throws {
            let (was, now) = (
                try await first.get("/predictions/\(prediction)"), try await second.get("/predictions/\(prediction)")
            )
            #expect(was.status == 200 && was.data == now.data, "\(was) \(now)")
            let person = try #require(was.data["request"]?["employeeId"]?.stringValue, "\(was)")
            #expect(try await second.get("/employees/\(person)").data["externalId"]?.stringValue == "E1")
            let schedule = try await second.get("/training/schedule")
            #expect(schedule.data["newOutcomes"] == .integer(1000), "\(schedule)")
            for client in [first, second] {
                let days = try await client.get("/metrics")
                #expect(days.status == 200 && days.data.items.count == 1, "\(days)")
            }
        }

        private func manifest(_ folder: URL) throws -> [ArchiveManifest.File] {
            try WireJSON.decode(
                ArchiveManifest.self, from: Data(contentsOf: folder.appendingPathComponent("manifest.json"))
            ).files
        }
    }
}

extension Platform {
    fileprivate func makeBareTenant(_ subdomain: String, administrator: String) async throws -> String {
        let made = try await asOperator.post(
            "/tenants",
            #"{"name": "\#(subdomain)", "subdomain": "\#(subdomain)", "adminEmail": "\#(administrator)", "adminPassword": "\#(Self.password)", "defaults": false}"#
        )
        try #require(made.status == 201, "\(made)")
        return try #require(made.data["id"]?.stringValue)
    }

    fileprivate func client(_ subdomain: String, _ tenant: String) async throws -> Client {
        let login = try await logIn(subdomain, tenant: tenant)
        return Client(platform: self, bearer: try #require(login.data["accessToken"]?.stringValue, "\(login)"))
    }

    /// A folder with the unpacked archive.
    fileprivate func export(_ tenant: String) async throws -> URL {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("erm-archive-\(UUID())")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let request = HTTPClientRequest(
            method: "GET", url: "\(url)/api/v1/tenants/\(tenant)/export",
            headers: [("Authorization", "Bearer \(operatorKey)")], body: .none, deadline: .seconds(120))
        let response = try await http.execute(request)
        try #require(response.status == 200)
        let file = folder.appendingPathComponent("archive.zip")
        try Data(try await response.collect(upTo: 64 << 20)).write(to: file)
        let unpacked = try await ChildProcess(
            "/usr/bin/env", ["python3", "-m", "zipfile", "-e", file.path, folder.path],
            environment: ProcessInfo.processInfo.environment, output: folder.appendingPathComponent("unpack.log")
        ).exitCode
        try #require(unpacked == 0)
        return folder
    }

    fileprivate func restore(_ kinds: [ArchiveKind], from folder: URL, into tenant: String) async throws {
        for kind in kinds {
            let lines = try Data(contentsOf: folder.appendingPathComponent("\(kind.rawValue).ndjson"))
            let answer = try await asOperator.send(
                "POST", "/tenants/\(tenant)/archive?kind=\(kind.rawValue)", body: Array(lines),
                type: "application/x-ndjson")
            try #require(answer.status == 200, "\(kind): \(answer)")
        }
    }
}
