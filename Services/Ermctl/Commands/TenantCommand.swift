import ArgumentParser
import Contracts
import Foundation

struct TenantCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tenant", abstract: "Make and list tenants, as the platform's operator.",
        subcommands: [Create.self, List.self, Restore.self])

    /// How the operator shows who they are.
    struct OperatorOptions: ParsableArguments {
        @Option(help: "The gateway's URL.")
        var url = ProcessInfo.processInfo.environment["ERM_URL"] ?? "http://127.0.0.1:8080"

        @Option(help: "File that holds the platform operator's key. The key itself may be in $ERM_OPERATOR_KEY.")
        var operatorKeyFile: String?

        func client(patience: Patience = .short) throws -> PlatformClient {
            PlatformClient(url: url, credential: .key(try key()), patience: patience)
        }

        private func key() throws -> String {
            if let file = operatorKeyFile { return try Secret.read(file: file) }
            if let key = ProcessInfo.processInfo.environment["ERM_OPERATOR_KEY"], !key.isEmpty { return key }
            throw ValidationError("give --operator-key-file or $ERM_OPERATOR_KEY")
        }
    }

    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Make a tenant with its first administrator.")

        @OptionGroup var operatorOptions: OperatorOptions
        @OptionGroup var output: OutputOptions
        @Argument(help: "The tenant's subdomain.") var subdomain: String
        @Option(help: "The company's name; the subdomain when left out.") var name: String?
        @Option(help: "starter, professional or enterprise.") var plan = "starter"
        @Option(help: "The first administrator's e-mail address.") var adminEmail: String
        @Flag(help: "Make it without the departments, skills and settings that others begin with.") var bare = false
        @Flag(help: "Let the administrator set a password with a token that is sent.") var invite = false
        @OptionGroup var password: PasswordOptions

        func run() async throws {
            guard let plan = Plan(rawValue: plan) else {
                throw ValidationError("--plan must be one of \(Plan.allCases.map(\.rawValue).joined(separator: ", "))")
            }
            guard let label = Subdomain(rawValue: subdomain) else {
                throw ValidationError("the subdomain \(Subdomain.problem(with: subdomain) ?? "is not valid")")
            }
            let request = CreateTenantRequest(
                name: name ?? subdomain, subdomain: label, plan: plan, adminEmail: adminEmail,
                adminPassword: invite ? nil : try password.read(), defaults: bare ? false : nil)
            let tenant: Tenant = try await withClient(operatorOptions.client()) {
                try await $0.post("/api/v1/tenants", request)
            }
            try output.show(tenant) { "Made tenant \($0.subdomain) (\($0.id)) on the \($0.plan.rawValue) plan." }
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List the tenants.")

        @OptionGroup var operatorOptions: OperatorOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            let tenants = try await withClient(operatorOptions.client()) {
                try await $0.list("/api/v1/tenants", of: Tenant.self)
            }
            try output.show(tenants) { tenants in
                var table = Table(
                    ("SUBDOMAIN", .left), ("NAME", .left), ("PLAN", .left), ("ACTIVE", .left), ("ID", .left))
                for tenant in tenants {
                    table.add(
                        tenant.subdomain, tenant.name, tenant.plan.rawValue, tenant.isActive ? "yes" : "no",
                        tenant.id.description)
                }
                return table.rendered()
            }
        }
    }
}

/// Where a password comes from: never from an argument, which every process on the machine could read.
struct PasswordOptions: ParsableArguments {
    @Option(help: "File that holds the password. It may also be in $ERM_PASSWORD; otherwise it is asked for.")
    var passwordFile: String?

    func read() throws -> String {
        if let passwordFile { return try Secret.read(file: passwordFile) }
        if let password = ProcessInfo.processInfo.environment["ERM_PASSWORD"], !password.isEmpty { return password }
        guard let typed = getpass("Password: ").map({ String(cString: $0) }), !typed.isEmpty else {
            throw ValidationError("give --password-file or $ERM_PASSWORD")
        }
        return typed
    }
}

enum Secret {
    /// The file's first line.
    /// - Throws: ``CommandFailure`` for a file that cannot be read or has nothing there.
    static func read(file: String) throws -> String {
        guard let text = try? String(contentsOfFile: file, encoding: .utf8) else {
            throw CommandFailure("Cannot read \(file).")
        }
        let line = text.prefix { !$0.isNewline }
        guard !line.isEmpty else {
            throw CommandFailure("The first line of \(file) is empty; the secret must be there.")
        }
        return String(line)
    }
}
