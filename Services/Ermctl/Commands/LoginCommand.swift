import ArgumentParser
import Contracts
import Foundation

struct LoginCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "login", abstract: "Log in to a tenant and remember the session.")

    @Option(help: "The gateway's URL.")
    var url = ProcessInfo.processInfo.environment["ERM_URL"] ?? "http://127.0.0.1:8080"
    @Option(help: "The tenant's id.") var tenant: String
    @Option(help: "Your e-mail address.") var email: String
    @OptionGroup var password: PasswordOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        guard let tenantID = TenantID(tenant) else { throw ValidationError("--tenant must be a UUID") }
        let session = try await Self.logIn(
            url: url, tenant: tenantID, subdomain: nil, email: email, password: try password.read(),
            store: SessionStore())
        try output.show(["tenantId": session.tenantID.description, "session": SessionStore().file.path]) { _ in
            "Logged in as \(email). The session is kept in \(SessionStore().file.path)."
        }
    }

    static func logIn(
        url: String, tenant: TenantID, subdomain: String?, email: String, password: String, store: SessionStore
    ) async throws -> Session {
        let client = PlatformClient(url: url, credential: .none, tenant: tenant)
        let tokens: TokenResponse = try await withClient(client) {
            try await $0.post("/api/v1/auth/login", LoginRequest(email: email, password: password))
        }
        let session = Session(url: client.url, subdomain: subdomain, tokens: tokens)
        try store.save(session)
        return session
    }
}

struct WhoAmICommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "whoami", abstract: "Show who the session belongs to.")

    @OptionGroup var output: OutputOptions

    func run() async throws {
        let principal: CurrentPrincipal = try await withClient(PlatformClient.loggedIn()) {
            try await $0.get("/api/v1/auth/me")
        }
        try output.show(principal) { principal in
            let grants = principal.permissions.map { "\($0.resource): \($0.actions.joined(separator: ", "))" }
            return """
                \(principal.name ?? "–") <\(principal.email ?? "–")>
                tenant  \(principal.tenant.map { "\($0.name) (\($0.subdomain))" } ?? "–")
                times   \(principal.timeZone ?? "–")
                roles   \(principal.roles.joined(separator: ", "))
                may     \(grants.joined(separator: " · "))
                """
        }
    }
}
