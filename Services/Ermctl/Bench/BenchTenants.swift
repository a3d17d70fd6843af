import ArgumentParser
import Basics
import Contracts
import Foundation

/// `ermctl bench tenants`: what many tenants cost.
struct BenchTenantsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tenants",
        abstract: "Measure what many tenants cost a running platform.",
        discussion: """
            Makes most tenants one after the other, with a token, and the last ones, when so many are there, with pauses in which \
            ready-made schemas are made again: one half with a password, which is hashed, one half with a token. Times a \
            creating request of one tenant before and after, and enters every tenant in turn; before and after that it reads the \
            memory of tenant-admin and of other programs, and after it that of tenant-admin's database backends, where they run on \
            this machine. With --database-url it makes the objects of five schemas in plain SQL, to be compared with creations \
            while no schema is made ahead (TENANTS_READY_SCHEMAS=0), rolls one more migration over all tenants, beside the same \
            statements in plain SQL, and takes all of it back: for an installation that is there to be measured, which makes no \
            tenants meanwhile. The tenants are deleted and purged at the end unless --keep is given.
            """)

    @OptionGroup var operatorOptions: TenantCommand.OperatorOptions

    @Option(help: "Tenants.") var count = 20
    @Option(help: "So many of them, the last ones, with pauses.") var paced = 10
    @Option(help: "Milliseconds of such a pause.") var pause = 1000
    @Option(help: "Creating requests that are timed, before and after.") var requests = 50
    @Option(help: "A further program whose memory is read, as ml-prediction; may be given several times.")
    var process: [String] = []
    @Option(help: "tenant-admin's own database URL: measure plain SQL too. Needs psql and pg_dump.")
    var databaseUrl: String?
    @Option(help: "tenant-admin's executable; the one beside ermctl when left out.") var tenantAdmin: String?
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
            let user = try await logIn(tenants[0], password)
            let before = try await timed(user)
            while tenants.count < count - paced { try await make(nil, \.inARow) }
            for number in 0..<paced where tenants.count < count {
                try await Task.sleep(for: .milliseconds(pause))
                let hasPassword = number % 2 == 0
                try await make(hasPassword ? password : nil, hasPassword ? \.withPassword : \.withToken)
            }
            let memoryBefore = programs.map(ProcessMemory.megabytes(of:))
            for tenant in tenants {
                let _: JSONValue = try await platform.get("/api/v1/tenants/\(tenant.id)/usage")
            }
            let memoryAfter = programs.map(ProcessMemory.megabytes(of:))
            let backends = ProcessMemory.backendMegabytes(of: "erm_tenant_admin")
            let after = try await timed(user)
            await user.close()
            report(creation, before, after)
            report(memoryBefore, memoryAfter, backends)
            try reportPlainSQL()
            if !keep { try await remove(tenants, platform) }
        }
    }

    private var programs: [String] { ["tenant-admin"] + process }

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

    private func report(_ creation: CreationTimes, _ before: [Double], _ after: [Double]) {
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
    }

    /// Nothing rather than a zero of what runs elsewhere.
    private func report(_ before: [Double?], _ after: [Double?], _ backends: [Double]) {
        for (program, (before, after)) in zip(programs, zip(before, after)) {
            guard let before, let after else { continue }
            let name = program.replacing("-", with: "_")
            print("\(name)_before_mb=\(before.fixed(1))")
            print("\(name)_after_mb=\(after.fixed(1))")
        }
        if let largest = backends.max() {
            print("backends=\(backends.count)")
            print("backend_max_mb=\(largest.fixed(1))")
        }
    }

    private func reportPlainSQL() throws {
        guard let databaseUrl else { return }
        guard let migrations = InstalledFiles.find("migrations", .folder) else {
            throw CommandFailure("There is no folder of migrations beside ermctl or above.")
        }
        let programs = try PostgresPrograms(databaseURL: databaseUrl)
        let creation = try CreationTrial(programs: programs).measure()
        print("schemas_made_ahead=\(creation.readySchemas)")
        print("creation_plain_sql_ms=\(creation.plain.fixed(2))")
        let figures = try MigrationTrial(
            databaseURL: databaseUrl, programs: programs,
            tenantAdmin: tenantAdmin ?? InstalledFiles.find("tenant-admin", .file) ?? "tenant-admin",
            migrations: migrations
        ).measure()
        print("migrated_tenants=\(figures.tenants)")
        print("migration_ms_a_tenant=\(figures.rolledOut.fixed(2))")
        print("migration_plain_sql_ms_a_tenant=\(figures.plain.fixed(2))")
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
