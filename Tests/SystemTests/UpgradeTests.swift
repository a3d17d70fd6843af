import Contracts
import Foundation
import TestSupport
import Testing

extension SystemTests {
    @Suite struct Upgrade {
        /// What an answer took, and whose it was.
        private struct Answered: Sendable {
            let status: Int
            let seconds: Double
        }

        @Test(
            "tenants of the first release are carried over while others work, a busy one is refused alone, and back it goes"
        )
        func upgradedAndBack() async throws {
            try await ServiceDatabases.withDatabases("system") { databases in
                let old = try await FirstRelease(databases, tenants: 50)
                let busy = old.tenants[0]
                try await old.reading(busy) {
                    try await Platform.withPlatform(on: databases) { platform in
                        let worker = try await platform.tenant("fresh")
                        try await old.setPasswords(as: "fresh")
                        let answers = try await Self.load(worker) { try await old.behind() == 1 }

                        #expect(answers.allSatisfy { (200...201).contains($0.status) }, "\(answers)")
                        // No lock is waited for longer than 0.1 s; the rest is this machine's, which may be slow and busy. Who waits
                        // for the busy tenant is given up by the gateway after 30 s.
                        #expect(answers.map(\.seconds).max() ?? 30 < 15)
                        print(
                            "upgrade: \(answers.count) requests beside it, slowest \(answers.map(\.seconds).max() ?? 0) s"
                        )
                        for tenant in old.tenants.dropFirst() { try await Self.isWhole(tenant, platform) }
                        let refused = try await platform.logIn(busy.subdomain, tenant: busy.id)
                        #expect(refused.status == 503, "\(refused)")
                    }
                }
                try await Platform.withPlatform(on: databases) { platform in
                    let worker = try await platform.logIn("fresh", tenant: try await platform.id(of: "fresh"))
                    let client = Client(platform: platform, bearer: worker.data["accessToken"]?.stringValue)
                    _ = try await Self.load(client) { try await old.behind() == 0 }
                    for tenant in old.tenants { try await Self.isWhole(tenant, platform) }
                }
                try await Self.back(old, databases)
            }
        }

        /// Nodes that know one migration less serve and write what is there, and make no tenants.
        private static func back(_ old: FirstRelease, _ databases: ServiceDatabases) async throws {
            let fewer = try FirstRelease.migrations(withoutNewest: 1)
            defer { try? FileManager.default.removeItem(at: fewer) }
            try await Platform.withPlatform(on: databases, migrations: fewer) { platform in
                for tenant in old.tenants { try await isWhole(tenant, platform) }
                let login = try await platform.logIn(old.tenants[0].subdomain, tenant: old.tenants[0].id)
                let client = Client(platform: platform, bearer: login.data["accessToken"]?.stringValue)
                let made = try await client.post("/projects", #"{"externalId": "back", "name": "Back"}"#)
                #expect(made.status == 201, "\(made)")
                let refused = try await platform.asOperator.post(
                    "/tenants",
                    #"{"name": "x", "subdomain": "later", "adminEmail": "a@later.example", "adminPassword": "\#(Platform.password)"}"#
                )
                #expect(refused.status == 503, "\(refused)")
            }
        }

        /// Reads and writes as one tenant until `isOver`.
        private static func load(
            _ client: Client, until isOver: @Sendable () async throws -> Bool
        ) async throws -> [Answered] {
            var answers: [Answered] = []
            let end = ContinuousClock.now + Platform.patience
            while try await !isOver() {
                try #require(.now < end, "the tenants are not up to date after \(Platform.patience)")
                for number in 0..<10 {
                    let start = ContinuousClock.now
                    let answer =
                        number % 2 == 0
                        ? try await client.get("/employees")
                        : try await client.post("/skills", #"{"name": "\#(UUID())"}"#)
                    answers.append(Answered(status: answer.status, seconds: start.duration(to: .now) / .seconds(1)))
                }
            }
            return answers
        }

        private static func isWhole(_ tenant: FirstRelease.Tenant, _ platform: Platform) async throws {
            let login = try await platform.logIn(tenant.subdomain, tenant: tenant.id)
            try #require(login.status == 200, "\(tenant): \(login)")
            let client = Client(platform: platform, bearer: login.data["accessToken"]?.stringValue)
            #expect(try await client.get("/employees?limit=500").data.items.count == FirstRelease.people)
            let bookings = try await client.get("/allocations?limit=500").data.items
            #expect(bookings.count == FirstRelease.people)
            #expect(bookings.allSatisfy { $0["allocatedHours"]?.doubleValue == 40 })
            let verified = try await client.get("/audit-logs/verification")
            #expect(verified.data["isWhole"] == .bool(true), "\(tenant): \(verified)")
        }
    }
}

extension Platform {
    fileprivate func id(of subdomain: String) async throws -> String {
        let tenants = try await asOperator.get("/tenants?limit=500").data.items
        return try #require(tenants.first { $0["subdomain"]?.stringValue == subdomain }?["id"]?.stringValue)
    }
}
