import Contracts
import Foundation
import Logging
import Postgres
import ServiceKit

/// `tenant-admin migrate-tenants`: the rollout of the service's start on its own, before the nodes are replaced. It may be cut
/// short and run again; what is done is not done again.
enum MigrateTenants {
    private static let parallel = ConfigurationKey(
        "parallel", .integer(1...64), default: "4", help: "How many tenants are migrated at once.")

    /// - Returns: the exit code: 0 when every tenant is up to date, 1 when one is not, 2 when the settings are not usable.
    static func run(arguments: [String]) async -> Int32 {
        let common = ConfigurationKey.common(for: .tenantAdmin).filter {
            $0.name.hasPrefix("database.") || $0.name.hasPrefix("migrations.")
        }
        let keys = common + [parallel]
        if arguments.contains("--help") {
            StandardOutput.write(ConfigurationHelp.text(program: "tenant-admin migrate-tenants", keys: keys))
            return 0
        }
        do {
            let settings = try ServiceSettings(
                keys: keys, arguments: arguments, environment: ProcessInfo.processInfo.environment)
            var configuration = try PostgresConfiguration(url: settings.secret("database.url"))
            configuration.maximumConnections = settings.int("parallel") + 1
            configuration.maximumRoles = settings.int("database.max-tenants-per-connection")
            configuration.applicationName = "erm-migrate-tenants"
            let pool = PostgresPool(configuration: configuration, logger: quiet)
            let code = await migrate(
                pool, tenantAdmin: try settings.migrationsDirectory("tenant-admin"),
                tenant: try settings.migrationsDirectory("tenant"), parallelism: settings.int("parallel"))
            await pool.close()
            return code
        } catch let error as ConfigurationError {
            say("the settings cannot be used:\n" + error.problems.map { "  \($0)" }.joined(separator: "\n"))
            return 2
        } catch {
            say("\(error)")
            return 2
        }
    }

    private static func migrate(
        _ pool: PostgresPool, tenantAdmin: String, tenant: String, parallelism: Int
    ) async -> Int32 {
        let start = ContinuousClock.now
        let news = RolloutNews { say($0) }
        func report() {
            let progress = news.last
            let seconds = start.duration(to: .now) / .seconds(1)
            StandardOutput.write(
                "tenants=\(progress.total)\nmigrated=\(progress.migrated)\nfailed=\(progress.failed)\n"
                    + "seconds=\((seconds * 1000).rounded() / 1000)\n")
        }
        do {
            try await MigrationRunner(pool: pool, schema: "tenant_admin", directory: tenantAdmin, logger: quiet).run()
            var schemas = try TenantSchemas(pool: pool, migrationsDirectory: tenant, logger: quiet)
            schemas.parallelism = parallelism
            try await news.ticking { [schemas] in _ = try await schemas.migrateAll { news.take($0) } }
            report()
            return 0
        } catch {
            say("not all tenants are up to date, run it again: \(LogText.of(error))")
            report()
            return 1
        }
    }

    private static var quiet: Logger { Logger(label: "migrate-tenants") { _ in SwiftLogNoOpLogHandler() } }

    private static func say(_ text: String) {
        FileHandle.standardError.write(Data("tenant-admin migrate-tenants: \(text)\n".utf8))
    }
}
