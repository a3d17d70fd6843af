import Contracts
import Foundation
import HTTPClient
import TestSupport
import Testing

extension SystemTests {
    @Suite struct Archive {
        @Test(
            "a tenant comes back whole beside itself: equal file by file, with its ids, and its models answer, are rolled back and deployed"
        )
        func everythingBack() async throws {
            try await ServiceDatabases.withDatabases("system") { databases in
                try await Platform.withPlatform(on: databases, settings: ["WATCH_INTERVAL": "1s"]) {
                    try await everythingBack($0)
                }
            }
        }

        private func everythingBack(_ platform: Platform) async throws {
            let first = try await platform.makeTenant("acme")
            // With the same administrator, whose password stays.
            let second = try await platform.makeBareTenant("copy", administrator: "admin@acme.example")
            let client = try await platform.client("acme", first)
            try await SmallHistory().load(client)
            let filled = try await filled(client, platform)
            let archive = try await platform.export(first)
            defer { try? FileManager.default.removeItem(at: archive) }

            try await platform.restore(archive, into: second, ["--ids"])
            let copier = try await platform.client("acme", second)
            for kind in ImportKind.allCases {
                let lines = try Data(contentsOf: archive.appendingPathComponent("\(kind.rawValue).ndjson"))
                let answer = try await copier.send(
                    "POST", "/imports?kind=\(kind.rawValue)", body: Array(lines), type: "application/x-ndjson")
                try #require((200...201).contains(answer.status), "\(kind): \(answer)")
            }
            try await platform.restore(archive, into: second)
            // Once more: nothing is there twice.
            try await platform.restore(archive, into: second)
            let copy = try await platform.export(second)
            defer { try? FileManager.default.removeItem(at: copy) }

            let (was, now) = (try manifest(archive), try manifest(copy))
            for file in was where !file.name.contains("audit_logs") {
                #expect(now.first { $0.name == file.name } == file)
            }
            // Nothing has drifted in so short a time.
            for kind in ArchiveKind.allCases where ![.archivedAuditLogs, .driftAlarms].contains(kind) {
                #expect(was.first { $0.name == "\(kind.rawValue).ndjson" }.map(\.lines) ?? 0 > 0, "\(kind)")
            }
            // The restored administrator is the archive's, with the password that the address has here.
            let other = try await platform.client("acme", second)
            try await bothAnswer(client, other, filled)
            try await refusedWhenDamaged(archive, platform)
        }

        private struct Filled {
            let prediction: String
            let question: String
            /// The first, and the one that is deployed.
            let models: [String]
        }

        /// Trains and deploys twice, predicts with a shadow, decides, replays a span, and says when to train again.
        private func filled(_ client: Client, _ platform: Platform) async throws -> Filled {
            let history = SmallHistory()
            var models: [String] = []
            for epochs in [10, 12] {
                let job = try await client.trained(asOf: history.asOf, epochs: epochs)
                let model = try #require(job["modelId"]?.stringValue)
                let deployed = try await client.post("/models/\(model)/deploy", #"{"force": true}"#)
                try #require(deployed.status == 200, "\(deployed)")
                models.append(model)
            }
            // As a schedule would begin it, which takes more history than a test has time for.
            try await ServiceDatabases.run(
                """
                INSERT INTO ml_training.shadows (model_id, tenant_id, incumbent_id, least_days, least_outcomes, is_favoured, decides)
                SELECT id, tenant_id, '\(models[1])', 14, 50, true, 'schedule:test' FROM ml_training.models WHERE id = '\(models[0])'
                """, on: platform.databases.superuser)
            let employee = try #require(
                try await client.get("/employees?externalId=E1").data.items.first?["id"]?.stringValue)
            let project = try #require(
                try await client.get("/projects?externalId=J1").data.items.first?["id"]?.stringValue)
            let question = #"{"employeeId": "\#(employee)", "projectId": "\#(project)", "plannedHours": 10}"#
            var id = ""
            let end = ContinuousClock.now + Platform.patience
            // A node hears of a shadow by the change feed.
            while try await shadowAnswers(platform) == 0 {
                try #require(.now < end, "no model has answered in the shadow")
                let answer = try await client.post("/predictions", question)
                try #require((200...201).contains(answer.status), "\(answer)")
                id = try #require(answer.data["predictionId"]?.stringValue)
                try await Task.sleep(for: .milliseconds(200))
            }
            // The last question is answered last: what ml-prediction reports does not change any more then, in the copy neither.
            while try await shadowAnswers(platform, to: id) == 0 {
                try #require(.now < end, "the shadow has not answered the last question")
                try await Task.sleep(for: .milliseconds(200))
            }
            let answers = JSONValue.integer(try await shadowAnswers(platform))
            while try await client.get("/models/\(models[0])").data["shadow"]?["figures"]?["answers"] != answers {
                try #require(.now < end, "the shadow was not reported")
                try await Task.sleep(for: .milliseconds(200))
            }
            let decided = try await client.post("/predictions/\(id)/decision", #"{"decision": "accepted"}"#)
            try #require((200...201).contains(decided.status), "\(decided)")
            let replayed = try await client.post(
                "/backtests",
                #"{"from": "2024-09-01T00:00:00.000Z", "to": "2025-01-01T00:00:00.000Z", "refits": 1, "epochs": 10}"#)
            try #require(replayed.status == 202, "\(replayed)")
            let backtest = try #require(replayed.data["id"]?.stringValue)
            var status = ""
            while !["succeeded", "failed"].contains(status) {
                try #require(.now < end + Platform.patience, "the back-test has not ended")
                try await Task.sleep(for: .milliseconds(200))
                status = try await client.get("/backtests/\(backtest)").data["status"]?.stringValue ?? ""
            }
            let scheduled = try await client.send(
                "PUT", "/training/schedule", body: Array(#"{"newOutcomes": 1000, "deployAutomatically": true}"#.utf8),
                type: "application/json")
            try #require((200...201).contains(scheduled.status), "\(scheduled)")
            return Filled(
                prediction: id, question: String(question.dropLast()) + #", "asOf": "\#(history.asOf)"}"#,
                models: models)
        }

        /// - Parameter prediction: nil for all.
        private func shadowAnswers(_ platform: Platform, to prediction: String? = nil) async throws -> Int {
            let condition = prediction.map { "WHERE prediction_id = '\($0)'" } ?? ""
            let count = try await ServiceDatabases.value(
                "SELECT count(*) FROM ml_prediction.shadow_answers \(condition)", on: platform.databases.superuser)
            return Int(count ?? "") ?? 0
        }

        /// The same as before, and the same to every new question, also after a rollback; then each tenant goes its own way.
        private func bothAnswer(_ first: Client, _ second: Client, _ filled: Filled) async throws {
            let path = "/predictions/\(filled.prediction)"
            let (was, now) = (try await first.get(path), try await second.get(path))
            #expect(was.status == 200 && was.data == now.data, "\(was) \(now)")
            let person = try #require(was.data["request"]?["employeeId"]?.stringValue, "\(was)")
            #expect(try await second.get("/employees/\(person)").data["externalId"]?.stringValue == "E1")
            let schedule = try await second.get("/training/schedule")
            #expect(schedule.data["newOutcomes"] == .integer(1000), "\(schedule)")
            #expect(schedule.data["state"]?["shadow"]?["modelId"] == .string(filled.models[0]), "\(schedule)")
            // One, or two where the day has ended between the questions.
            let (days, copied) = (try await first.get("/metrics"), try await second.get("/metrics"))
            #expect(days.status == 200 && (1...2).contains(days.data.items.count), "\(days)")
            #expect(copied.status == 200 && copied.data.items.count == days.data.items.count, "\(days) \(copied)")
            for path in ["/models", "/models/deployments", "/datasets", "/training/jobs", "/backtests"]
                + filled.models.map({ "/models/\($0)" })
            {
                let (was, now) = (try await first.get(path), try await second.get(path))
                #expect(was.status == 200 && was.data == now.data, "\(path): \(was) \(now)")
            }
            let dataset = try #require(try await second.get("/datasets").data.items.first?["id"]?.stringValue)
            for part in ["rows?limit=500", "report"] {
                let (was, now) = (
                    try await first.get("/datasets/\(dataset)/\(part)"),
                    try await second.get("/datasets/\(dataset)/\(part)")
                )
                #expect(was.status == 200 && was.data == now.data, "\(part): \(was) \(now)")
            }

            try await sameAnswers(first, second, filled, by: filled.models[1])
            for client in [first, second] {
                let rolledBack = try await client.post("/models/rollback")
                #expect(rolledBack.data["id"] == .string(filled.models[0]), "\(rolledBack)")
            }
            try await sameAnswers(first, second, filled, by: filled.models[0])
            let deployed = try await second.post(
                "/models/\(filled.models[1])/deploy?wait=true", #"{"force": true, "note": "again"}"#)
            #expect(deployed.status == 200, "\(deployed)")
            let archived = try await second.post("/models/\(filled.models[0])/archive")
            #expect(archived.status == 200 && archived.data["status"] == .string("archived"), "\(archived)")
            let still = try await first.get("/models/\(filled.models[0])")
            #expect(still.data["status"] == .string("deployed"), "\(still)")
        }

        /// - Parameter model: the one that answers both, as soon as the change feed has told of it.
        private func sameAnswers(
            _ first: Client, _ second: Client, _ filled: Filled, by model: String
        ) async throws {
            var answers: [JSONValue] = []
            for client in [first, second] {
                let end = ContinuousClock.now + Platform.patience
                var answer = try await client.post("/predictions", filled.question)
                while answer.data["model"]?["id"] != .string(model) {
                    try #require(.now < end, "\(answer)")
                    try await Task.sleep(for: .milliseconds(100))
                    answer = try await client.post("/predictions", filled.question)
                }
                guard case .object(var fields) = answer.data else { continue }
                // New with every prediction.
                for key in ["predictionId", "createdAt"] { fields[key] = nil }
                answers.append(.object(fields))
            }
            #expect(answers.count == 2 && answers[0] == answers[1], "\(answers)")
        }

        /// One bit of an artefact: `ermctl` sends nothing, and ml-training takes no such line.
        private func refusedWhenDamaged(_ archive: URL, _ platform: Platform) async throws {
            let file = archive.appendingPathComponent("model_artifacts.ndjson")
            var text = try String(contentsOf: file, encoding: .utf8)
            let digit = try #require(text.range(of: #""content": ""#)).upperBound
            text.replaceSubrange(digit...digit, with: text[digit] == "0" ? "1" : "0")
            try text.write(to: file, atomically: true, encoding: .utf8)
            let third = try await platform.makeBareTenant("third", administrator: "admin@acme.example")
            let unsent = await #expect(throws: RunningService.Failure.self) {
                try await platform.restore(archive, into: third)
            }
            #expect(
                unsent?.description.contains("model_artifacts.ndjson is damaged") == true,
                "\(String(describing: unsent))")
            try FileManager.default.removeItem(at: archive.appendingPathComponent("manifest.json"))
            let refused = await #expect(throws: RunningService.Failure.self) {
                try await platform.restore(archive, into: third)
            }
            #expect(
                refused?.description.contains("Line 1 of model_artifacts.ndjson is damaged") == true,
                "\(String(describing: refused))")
            let models = try await platform.client("acme", third).get("/models")
            #expect(models.status == 200 && models.data.items.isEmpty, "\(models)")
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

    /// By `ermctl tenant restore`.
    fileprivate func restore(_ folder: URL, into tenant: String, _ options: [String] = []) async throws {
        try await Command.run(
            "ermctl",
            ["tenant", "restore", tenant, folder.path, "--url", url, "--operator-key-file", operatorKeyFile.path]
                + options)
    }
}
