import Contracts
import Foundation
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
                var interrupted = 0
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
                    if acknowledged { #expect(rows == 20_000) } else { interrupted += 1 }
                    #expect(rows == 0 || rows == 20_000)
                }
                // If nothing was ever interrupted, the test has shown nothing.
                #expect(interrupted > 0)
                #expect((200...201).contains(try await client.upload(.allocations, csv).status))
                #expect(try await count(client) == 20_000)
            }
        }

        @Test("a training job goes on and finishes whichever service is killed, no epoch lost or doubled")
        func killedTraining() async throws {
            try await Platform.withPlatform { platform in
                let client = try await platform.tenant("acme")
                let history = SmallHistory(people: 20, projects: 5, allocationsPerPerson: 100)
                try await history.load(client)
                for victim in [platform.mlTraining, platform.tenantAdmin, platform.gateway, platform.mlPrediction] {
                    let started = try await client.post(
                        "/training/jobs", #"{"months": 240, "epochs": 400, "seed": 3, "asOf": "\#(history.asOf)"}"#)
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
                    if victim.name == platform.mlTraining.name {
                        #expect((job["attempts"]?.doubleValue ?? 0) >= 2)
                    }
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
