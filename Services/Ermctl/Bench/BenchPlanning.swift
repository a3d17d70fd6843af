import ArgumentParser
import Contracts
import Foundation

/// `ermctl bench planning`: how fast a running platform answers what planners ask.
struct BenchPlanningCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "planning",
        abstract: "Measure reports and bookings of a large company on a running platform.",
        discussion: """
            Makes a tenant with made-up people and bookings, measures over HTTP and deletes the tenant again. \
            `…_first_page_ms` is the first page of everybody, `…_all_pages_ms` all pages of 500, `utilization_by_…_ms` a \
            report that needs everybody; medians of several runs, all pages run once. `booking_ms` is a booking of a person who has \
            twenty, with its warnings; `plain_write_ms` is a small write without any (a day of capacity history), and \
            `warnings_ms` the difference.
            """)

    @OptionGroup var operatorOptions: TenantCommand.OperatorOptions
    @Option(help: "People.") var people = 10_000
    @Option(help: "Bookings of all of them.") var bookings = 200_000
    @Option(help: "Weeks that the bookings lie in and reports ask about.") var weeks = 26
    @Option(help: "How often a first page is asked for.") var runs = 9

    func validate() throws {
        guard (1...100_000).contains(people) else { throw ValidationError("--people must be in 1…100000.") }
        guard (1...5_000_000).contains(bookings) else { throw ValidationError("--bookings must be in 1…5000000.") }
        guard (1...52).contains(weeks) else { throw ValidationError("--weeks must be in 1…52.") }
        guard (1...1_000).contains(runs) else { throw ValidationError("--runs must be in 1…1000.") }
    }

    func run() async throws {
        let company = PlanningCompany(people: people, bookings: bookings, weeks: weeks)
        try await withClient(operatorOptions.client(patience: .long)) { platform in
            let tenant = try await TemporaryTenant(platform)
            do {
                try await measure(company, tenant.client)
            } catch {
                try? await tenant.remove(platform)
                throw error
            }
            try await tenant.remove(platform)
        }
    }

    private func measure(_ company: PlanningCompany, _ client: PlatformClient) async throws {
        let seconds = try await company.fill(client)
        print("people=\(people) bookings=\(bookings) weeks=\(weeks)")
        print("import_bookings_per_s=\((Double(bookings) / seconds).fixed(0))")
        let window = "from=\(company.first)&to=\(company.last)"
        for (name, path) in [
            ("utilization", "reports/utilization?\(window)"), ("availability", "reports/availability?\(window)"),
            ("over_allocations", "reports/over-allocations?\(window)"),
        ] {
            try await show("\(name)_first_page_ms", runs) { _ = try await client.get("/api/v1/\(path)", [Unread].self) }
            try await show("\(name)_all_pages_ms", 1) { _ = try await client.list("/api/v1/\(path)", of: Unread.self) }
        }
        for group in ["department", "project", "none"] {
            try await show("utilization_by_\(group)_ms", 3) {
                _ = try await client.get(
                    "/api/v1/reports/utilization?\(window)&groupBy=\(group)&period=week", [Unread].self)
            }
        }
        try await show("availability_search_ms", 3) {
            _ = try await client.post(
                "/api/v1/availability/search",
                AvailabilitySearchRequest(from: company.first, to: company.last, hours: 80), Unread.self)
        }
        try await measureWrites(company, client)
    }

    private func measureWrites(_ company: PlanningCompany, _ client: PlatformClient) async throws {
        let person = try await Lookup.employee(PlanningCompany.person(0), client)
        let project = try await Lookup.project(PlanningCompany.project(0), client)
        var written = 0
        let booking = try await show("booking_ms", runs * 3) {
            written += 1
            _ = try await client.post(
                "/api/v1/allocations", company.booking(written, employee: person, project: project), JSONValue.self)
        }
        let plain = try await show("plain_write_ms", runs * 3) {
            written += 1
            _ = try await client.put(
                "/api/v1/capacity-history/\(person)/\(company.first.adding(days: -written))",
                ["utilizationRate": 50.0], JSONValue.self)
        }
        print("warnings_ms=\((booking - plain).fixed(1))")
    }

    /// Prints the median.
    @discardableResult
    private func show(_ name: String, _ runs: Int, _ body: () async throws -> Void) async throws -> Double {
        var taken: [Double] = []
        for _ in 0..<runs {
            let start = ContinuousClock.now
            try await body()
            taken.append((ContinuousClock.now - start) / .milliseconds(1))
        }
        let median = taken.sorted()[runs / 2]
        print("\(name)=\(median.fixed(1))")
        return median
    }
}

/// A row that nobody looks into: what is measured is the platform, and this process shares the machine with it.
private struct Unread: Codable, Sendable {
    init(from decoder: any Decoder) throws {}
    func encode(to encoder: any Encoder) throws {}
}

/// A tenant for a measurement, with its administrator logged in.
struct TemporaryTenant {
    let client: PlatformClient
    private let tenant: Tenant
    private let directory: URL
    private let store: SessionStore

    init(_ platform: PlatformClient) async throws {
        let name = "bench\(UInt32.random(in: 0...UInt32.max))"
        guard let subdomain = Subdomain(rawValue: name) else { throw CommandFailure("\(name) is no subdomain.") }
        let (email, password) = ("admin@bench.example", RandomPassword.make())
        tenant = try await platform.post(
            "/api/v1/tenants",
            CreateTenantRequest(
                name: name, subdomain: subdomain, plan: .enterprise, adminEmail: email, adminPassword: password))
        directory = FileManager.default.temporaryDirectory.appendingPathComponent(name, isDirectory: true)
        store = SessionStore(directory: directory)
        let session = try await LoginCommand.logIn(
            url: platform.url, tenant: tenant.id, subdomain: name, email: email, password: password, store: store)
        client = PlatformClient(url: platform.url, credential: .session(session, store), patience: .long)
    }

    /// An access token with at least a minute left.
    func token() async throws -> String {
        let _: JSONValue = try await client.get("/api/v1/auth/me")
        return try store.load().accessToken
    }

    func remove(_ platform: PlatformClient) async throws {
        await client.close()
        try? FileManager.default.removeItem(at: directory)
        try await platform.delete("/api/v1/tenants/\(tenant.id)")
    }
}
