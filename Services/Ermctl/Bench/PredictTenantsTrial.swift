import Contracts
import Foundation
import HTTPClient

/// Many small tenants on one node: its memory before and with them, and how all are answered in turn.
struct PredictTenantsTrial {
    /// Measured with each of these numbers of tenants, ascending.
    let counts: [Int]
    /// Of the node, on this machine.
    let process: Int?
    let seconds: Double

    private static let atOnce = 2
    private static let connections = 16

    func run(_ platform: PlatformClient) async throws {
        let before = megabytes
        var made: [Made] = []
        do {
            for count in counts {
                made += try await make(made.count..<count, platform)
                try await measure(made, before, platform)
            }
        } catch {
            for made in made { try? await platform.delete("/api/v1/tenants/\(made.tenant)") }
            throw error
        }
        for made in made { try await platform.delete("/api/v1/tenants/\(made.tenant)") }
    }

    private func measure(_ made: [Made], _ before: Double?, _ platform: PlatformClient) async throws {
        let load = PredictionLoad(
            try made.map { made in
                HTTPClientRequest(
                    method: "POST", url: "\(platform.url)/api/v1/predictions",
                    headers: [("Authorization", "Bearer \(made.token)"), ("Content-Type", "application/json")],
                    body: .bytes(try WireJSON.encode(made.question)), deadline: .seconds(60))
            })
        // Each once, so that all are in memory.
        for request in load.requests { _ = try await PredictionLoad([request]).once() }
        let prefix = "tenants_\(made.count)"
        if let before, let after = megabytes {
            print("\(prefix)_node_mb=\(after.fixed(0))")
            print("\(prefix)_kb_each=\(((after - before) * 1_024 / Double(made.count)).fixed(0))")
        }
        try await load.measure(connections: Self.connections, seconds: seconds)
            .show("\(prefix)_connections_\(Self.connections)")
    }

    private struct Made: Sendable {
        let tenant: TenantID
        let token: String
        let question: PredictionRequest
    }

    private func make(_ numbers: Range<Int>, _ platform: PlatformClient) async throws -> [Made] {
        let run = UUID().uuidString.prefix(8).lowercased()
        return try await withThrowingTaskGroup(of: Made.self) { group in
            var made: [Made] = []
            for number in numbers {
                if number - numbers.lowerBound >= Self.atOnce, let one = try await group.next() { made.append(one) }
                group.addTask { try await Self.make("many-\(run)-\(number)", platform) }
            }
            for try await one in group { made.append(one) }
            return made
        }
    }

    private static func make(_ name: String, _ platform: PlatformClient) async throws -> Made {
        guard let subdomain = Subdomain(rawValue: name) else { throw CommandFailure("\(name) is no subdomain.") }
        let password = RandomPassword.make()
        let tenant: Tenant = try await platform.post(
            "/api/v1/tenants",
            CreateTenantRequest(
                name: name, subdomain: subdomain, plan: .enterprise, adminEmail: "admin@bench.example",
                adminPassword: password))
        let tokens: TokenResponse = try await withClient(
            PlatformClient(url: platform.url, credential: .none, tenant: tenant.id, patience: .long)
        ) { client in
            try await client.post("/api/v1/auth/login", LoginRequest(email: tenant.adminEmail, password: password))
        }
        return try await withClient(
            PlatformClient(url: platform.url, credential: .key(tokens.accessToken), patience: .long)
        ) { client in
            let company = PredictionCompany(people: 20, allocations: 20)
            try await company.load(client)
            return Made(
                tenant: tenant.id, token: tokens.accessToken, question: try await company.question(client).with(5))
        }
    }

    /// Of memory that the node has for itself.
    private var megabytes: Double? {
        guard let process, let status = FileManager.default.contents(atPath: "/proc/\(process)/status"),
            let line = String(decoding: status, as: UTF8.self).split(separator: "\n").first(where: {
                $0.hasPrefix("RssAnon:")
            })
        else { return nil }
        return line.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap { Double($0) }.map { $0 / 1_024 }
    }
}
