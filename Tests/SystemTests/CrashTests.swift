import Contracts
import Foundation
import TestSupport
import Testing

extension SystemTests {
    /// SIGKILL in the middle of things.
    @Suite struct Crashes {
        private let big = SmallHistory(people: 100, projects: 5, allocationsPerPerson: 200)

        private func count(_ client: Client) async throws -> Int {
            var cursor = ""
            var total = 0
            while true {
                var page = try await client.get("/allocations?limit=500\(cursor)")
                // A node that was gone is left alone for a moment after it is back: 503 with Retry-After.
                for _ in 1...600 where page.status == 503 {
                    try await Task.sleep(for: .milliseconds(100))
                    page = try await client.get("/allocations?limit=500\(cursor)")
                }
                try #require(page.status == 200, "\(page)")
                total += page.data.items.count
                guard let next = page.json["page"]?["nextCursor"]?.stringValue else { return total }
                cursor = "&cursor=\(next)"
            }
        }

        @Test("an import whose service is killed is whole or absent, and works when sent again")
        func killedImport() async throws {
            try await Platform.withPlatform { platform in
                let client = try await platform.tenant("acme")
                for (kind, csv) in [(ImportKind.employees, big.employees), (.projects, big.projectRows)] {
                    #expect((200...201).contains(try await client.upload(kind, csv).status))
                }
                let csv = big.allocations
                try await killedWhileWriting(csv, client, platform)
                // And at moments at which some machine is in the middle of it, and another has not begun or is through.
                for (victim, delay) in [
                    (platform.tenantAdmin, 60), (platform.tenantAdmin, 250), (platform.gateway, 120),
                    (platform.mlTraining, 100),
                    (platform.mlPrediction, 100),
                ] {
                    async let upload = client.upload(.allocations, csv)
                    try await Task.sleep(for: .milliseconds(delay))
                    await victim.kill()
                    let acknowledged = (try? await upload).map { (200...201).contains($0.status) } ?? false
                    try victim.start()
                    try await platform.waitUntilReady(victim)
                    let rows = try await count(client)
                    #expect(rows == 20_000 || (rows == 0 && !acknowledged))
                }
                #expect((200...201).contains(try await client.upload(.allocations, csv).status))
                #expect(try await count(client) == 20_000)
            }
        }

        /// Kills the service while its import waits for the table that it writes to, however fast the machine is.
        private func killedWhileWriting(_ csv: String, _ client: Client, _ platform: Platform) async throws {
            let (table, database) = ("tenant_acme.resource_allocations", platform.databases.superuser)
            let upload = try await ServiceDatabases.holding("LOCK TABLE \(table) IN SHARE MODE", on: database) {
                let upload = Task { try await client.upload(.allocations, csv).status }
                try await waitUntil("the import waits for its table") {
                    try await ServiceDatabases.value(
                        "SELECT count(*)::text FROM pg_locks WHERE NOT granted AND relation = '\(table)'::regclass",
                        on: database) != "0"
                }
                await platform.tenantAdmin.kill()
                return upload
            }
            let status = try? await upload.value
            #expect(status.map { (200...201).contains($0) } != true)
            try platform.tenantAdmin.start()
            try await platform.waitUntilReady(platform.tenantAdmin)
            #expect(try await count(client) == 0)
        }

        @Test("a training job goes on and finishes whichever service is killed, no epoch lost or doubled")
        func killedTraining() async throws {
            try await Platform.withPlatform { platform in
                let client = try await platform.tenant("acme")
                let history = SmallHistory(people: 20, projects: 5, allocationsPerPerson: 100)
                try await history.load(client)
                for victim in [platform.mlTraining, platform.tenantAdmin, platform.gateway, platform.mlPrediction] {
                    // Row by row where its own node is killed: no machine is through with it between its first epoch and the kill.
                    let isOwn = victim.name == platform.mlTraining.name
                    let slowly = isOwn ? #", "hyperparameters": {"batchSize": 1}"# : ""
                    let started = try await client.post(
                        "/training/jobs",
                        #"{"months": 240, "epochs": 400, "seed": 3, "asOf": "\#(history.asOf)"\#(slowly)}"#)
                    try #require(started.status == 202, "\(started)")
                    let id = try #require(started.data["jobId"]?.stringValue)
                    try await untilFirstEpoch(id, client)
                    await victim.kill()
                    try victim.start()
                    try await platform.waitUntilReady(victim)
                    let job = try await client.ended(id)
                    #expect(job["status"]?.stringValue == "succeeded", "\(victim.name): \(job)")
                    #expect(
                        job["progress"]?.items.compactMap { $0["epoch"]?.doubleValue } == (1...400).map(Double.init))
                    if isOwn { #expect((job["attempts"]?.doubleValue ?? 0) >= 2) }
                }
            }
        }

        private func untilFirstEpoch(_ id: String, _ client: Client) async throws {
            let end = ContinuousClock.now + Platform.patience
            while .now < end {
                let job = try await client.get("/training/jobs/\(id)")
                if job.data["progress"]?.items.isEmpty == false { return }
                try #require(job.data["status"]?.stringValue != "failed", "\(job)")
                try await Task.sleep(for: .milliseconds(20))
            }
            throw RunningService.Failure(description: "no epoch was reported within \(Platform.patience)")
        }

        @Test("a service that gets SIGTERM ends by itself with status 0")
        func graceful() async throws {
            try await Platform.withPlatform { platform in
                for service in platform.services.reversed() {
                    #expect(await service.terminate() == 0, "\(service.name)")
                }
            }
        }
    }
}
