import ArgumentParser
import Contracts
import Foundation

/// `ermctl bench revocation`: how long a right that was taken away still opens anything, on every gateway node.
struct BenchRevocationCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "revocation",
        abstract: "Measure how soon every gateway node refuses what was revoked.",
        discussion: """
            Makes a tenant with a user, whom every node is asked to let in all the time. Each change takes the user's role away, \
            every tenth ends the session instead; then the role is given back and the user logs in again. A change is seen by a \
            node when the node has refused the user for the first time. Times are counted from when the change was asked for, and \
            from when it was answered. The tenant is deleted and purged at the end.
            """)

    @OptionGroup var operatorOptions: TenantCommand.OperatorOptions

    @Option(name: .customLong("node"), help: "A gateway node's URL; give one for each. Changes are sent to --url.")
    var nodes: [String] = []
    @Option(help: "Changes.") var changes = 1_000

    func validate() throws {
        guard (1...100_000).contains(changes) else { throw ValidationError("--changes must be in 1…100000.") }
    }

    func run() async throws {
        try await withClient(operatorOptions.client(patience: .long)) { platform in
            let run = "bench-\(UUID().uuidString.prefix(8).lowercased())"
            guard let subdomain = Subdomain(rawValue: run) else { throw CommandFailure("\(run) is no subdomain.") }
            let password = RandomPassword.make()
            let tenant: Tenant = try await platform.post(
                "/api/v1/tenants",
                CreateTenantRequest(
                    name: run, subdomain: subdomain, plan: .enterprise, adminEmail: "admin@\(run).example",
                    adminPassword: password, defaults: false))
            let guests = (nodes.isEmpty ? [operatorOptions.url] : nodes).map { RevocationProbe(url: $0) }
            let outcome: Result<RevocationTimes, any Error>
            do { outcome = .success(try await measure(guests, tenant, password)) } catch { outcome = .failure(error) }
            for guest in guests { await guest.close() }
            try await platform.delete("/api/v1/tenants/\(tenant.id)")
            try await platform.postWithoutAnswer("/api/v1/tenants/\(tenant.id)/purge")
            try outcome.get().show()
        }
    }

    private func measure(
        _ guests: [RevocationProbe], _ tenant: Tenant, _ password: String
    ) async throws -> RevocationTimes {
        let admin = try await logIn(tenant.adminEmail, password, tenant.id).accessToken
        return try await withClient(PlatformClient(url: operatorOptions.url, credential: .key(admin))) { admin in
            let email = "guest@\(tenant.subdomain).example"
            let user: User = try await admin.post(
                "/api/v1/users", CreateUserRequest(email: email, name: "Guest", password: password, roles: ["viewer"]))
            // Grants nothing that the probe asks for.
            let nothing: Role = try await admin.post(
                "/api/v1/roles",
                CreateRoleRequest(name: "nothing", permissions: [Permission(resource: "self", actions: ["read"])]))
            var session = try await logIn(email, password, tenant.id)
            var times = RevocationTimes(nodes: guests.count)
            for number in 1...changes {
                for guest in guests { try await guest.awaitAdmission(session.accessToken) }
                let isLogOut = number.isMultiple(of: 10)
                let (token, refreshToken) = (session.accessToken, session.refreshToken)
                let start = ContinuousClock.now
                async let seen: [ContinuousClock.Instant] = withThrowingTaskGroup(of: ContinuousClock.Instant.self) {
                    group in
                    for guest in guests { group.addTask { try await guest.firstRefusal(token) } }
                    return try await group.reduce(into: []) { $0.append($1) }
                }
                if isLogOut {
                    try await logOut(refreshToken)
                } else {
                    try await give([nothing.name], to: user.id, by: admin)
                }
                let answered = ContinuousClock.now
                times.add(try await seen, start: start, answered: answered)
                if isLogOut {
                    session = try await logIn(email, password, tenant.id)
                } else {
                    try await give(["viewer"], to: user.id, by: admin)
                }
                // An access token outlives the campaign's longest stretches, but not all of it.
                if number.isMultiple(of: 100), !isLogOut { session = try await logIn(email, password, tenant.id) }
            }
            return times
        }
    }

    private func give(_ roles: [String], to user: UserID, by admin: PlatformClient) async throws {
        let _: User = try await admin.patch("/api/v1/users/\(user)", UpdateUserRequest(roles: roles))
    }

    private func logIn(_ email: String, _ password: String, _ tenant: TenantID) async throws -> TokenResponse {
        try await withClient(PlatformClient(url: operatorOptions.url, credential: .none, tenant: tenant)) { client in
            try await client.post("/api/v1/auth/login", LoginRequest(email: email, password: password))
        }
    }

    private func logOut(_ refreshToken: String) async throws {
        try await withClient(PlatformClient(url: operatorOptions.url, credential: .none)) { client in
            try await client.postWithoutAnswer("/api/v1/auth/logout", RefreshRequest(refreshToken: refreshToken))
        }
    }
}
