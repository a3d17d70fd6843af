import ArgumentParser
import Contracts
import Foundation

/// `ermctl bench tenants`: what many tenants cost.
struct BenchTenantsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tenants",
        abstract: "Measure what many tenants cost a running platform.",
        discussion: """
            Makes some tenants with pauses, in which ready-made schemas are made again: one half with a password, which is \
            hashed, one half whose administrator is sent a token. Makes the others one after the other, with a token. Times a \
            creating request of one tenant before and after, enters every tenant in turn and then reads the memory of \
            tenant-admin's database backends, where they run on this machine. The tenants are deleted and purged at the end \
            unless --keep is given. The roll-out of a migration is measured by `tenant-admin migrate-tenants`.
            """)

    @OptionGroup var operatorOptions: TenantCommand.OperatorOptions

    @Option(help: "Tenants.") var count = 20
    @Option(help: "So many of them with pauses.") var paced = 10
    @Option(help: "Milliseconds of such a pause.") var pause = 1000
    @Option(help: "Creating requests that are timed, before and after.") var requests = 50
    @Flag(help: "Leave the tenants there.") var keep = false

    func validate() throws {
        guard (1...100_000).contains(count) else { throw ValidationError("--count must be in 1…100000.") }
        guard (0...count).contains(paced) else { throw ValidationError("--paced must be in 0…--count.") }
        guard (0...60_000).contains(pause) else { throw ValidationError("--pause must be in 0…60000.") }
        guard (1...10_000).contains(requests) else { throw ValidationError("--requests must be in 1…10000.") }
    }

    func run() async throws {
        try await withClient(operatorOptions.client(patience: .long)) { platform in
            let run = UUID().uuidString.prefix(8).lowercased()
            let password = RandomPassword.make()
            var tenants: [Tenant] = []
            var creation = CreationTimes()
            func make(_ password: String?, _ times: WritableKeyPath<CreationTimes, [Double]>) async throws {
                let label = "bench-\(run)-\(tenants.count)"
                guard let subdomain = Subdomain(rawValue: label) else {
                    throw CommandFailure("\(label) is no subdomain.")
                }
                let request = CreateTenantRequest(
                    name: label, subdomain: subdomain, plan: .enterprise, adminEmail: "admin@\(label).example",
                    adminPassword: password)
                let start = ContinuousClock.now
                tenants.append(try await platform.post("/api/v1/tenants", request))
                creation[keyPath: times].append(start.milliseconds)
            }
            // The first has connections to open.
            try await make(password, \.first)
            for number in 0..<paced where tenants.count < count {
                try await Task.sleep(for: .milliseconds(pause))
                let hasPassword = number % 2 == 0
                try await make(hasPassword ? password : nil, hasPassword ? \.withPassword : \.withToken)
            }
            let user = try await logIn(tenants[0], password)
            let before = try await timed(user)
            while tenants.count < count { try await make(nil, \.inARow) }
            for tenant in tenants {
                let _: JSONValue = try await platform.get("/api/v1/tenants/\(tenant.id)/usage")
            }
            let after = try await timed(user)
            await user.close()
            let memory = DatabaseBackends.residentMegabytes(of: "erm_tenant_admin")
            if !keep { try await remove(tenants, platform) }
            report(creation, before, after, memory)
        }
    }

    private func logIn(_ tenant: Tenant, _ password: String) async throws -> PlatformClient {
        let tokens: TokenResponse = try await withClient(
            PlatformClient(url: operatorOptions.url, credential: .none, tenant: tenant.id)
        ) { client in
            try await client.post("/api/v1/auth/login", LoginRequest(email: tenant.adminEmail, password: password))
        }
        return PlatformClient(url: operatorOptions.url, credential: .key(tokens.accessToken))
    }

    /// Milliseconds of each creating request.
    private func timed(_ client: PlatformClient) async throws -> [Double] {
        var taken: [Double] = []
        for _ in 0..<requests {
            let start = ContinuousClock.now
            let _: JSONValue = try await client.post(
                "/api/v1/skills", JSONValue.object(["name": .string(UUID().uuidString)]))
            taken.append(start.milliseconds)
        }
        return taken
    }

    private func remove(_ tenants: [Tenant], _ platform: PlatformClient) async throws {
        for tenant in tenants {
            try await platform.delete("/api/v1/tenants/\(tenant.id)")
            try await platform.postWithoutAnswer("/api/v1/tenants/\(tenant.id)/purge")
        }
    }

    private func report(_ creation: CreationTimes, _ before: [Double], _ after: [Double], _ memory: [Double]) {
        func show(_ name: String, _ values: [Double]) {
            let sorted = values.sorted()
            guard !sorted.isEmpty else { return }
            print("\(name)_min_ms=\(sorted[0].fixed(2))")
            print("\(name)_p50_ms=\(sorted[sorted.count / 2].fixed(2))")
            print("\(name)_p95_ms=\(sorted[min(sorted.count - 1, sorted.count * 95 / 100)].fixed(2))")
        }
        print("tenants=\(count)")
        show("creation_with_password", creation.withPassword)
        show("creation_with_token", creation.withToken)
        show("creation_in_a_row", creation.inARow)
        show("request_at_1_tenant", before)
        show("request_at_all_tenants", after)
        // Nothing rather than a zero where they run elsewhere.
        if let largest = memory.max() {
            print("backends=\(memory.count)")
            print("backend_max_mb=\(largest.fixed(1))")
        }
    }
}

/// Milliseconds of each creation.
private struct CreationTimes {
    var first: [Double] = []
    var withPassword: [Double] = []
    var withToken: [Double] = []
    var inARow: [Double] = []
}

extension ContinuousClock.Instant {
    /// Since then.
    fileprivate var milliseconds: Double { duration(to: .now) / .milliseconds(1) }
}

/// Postgres' server processes on this machine.
enum DatabaseBackends {
    /// Memory of each that serves the role, without what all share.
    static func residentMegabytes(of role: String) -> [Double] {
        let processes = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return processes.filter { Int($0) != nil }.compactMap { process in
            guard let command = text("/proc/\(process)/cmdline"), command.hasPrefix("postgres: "),
                command.contains(" \(role) "), let status = text("/proc/\(process)/status"),
                let line = status.split(separator: "\n").first(where: { $0.hasPrefix("RssAnon:") }),
                let kilobytes = line.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap({ Double($0) })
            else { return nil }
            return kilobytes / 1024
        }
    }

    private static func text(_ path: String) -> String? {
        FileManager.default.contents(atPath: path).map { String(decoding: $0, as: UTF8.self) }
    }
}
