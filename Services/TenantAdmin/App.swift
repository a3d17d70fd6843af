import Contracts
import Foundation
import ServiceKit

/// `tenant-admin` serves, `tenant-admin migrate-tenants` brings every tenant's schema up to date and ends.
@main struct App {
    static func main() async {
        let arguments = Array(CommandLine.arguments.dropFirst())
        if arguments.first == "migrate-tenants" {
            exit(await MigrateTenants.run(arguments: Array(arguments.dropFirst())))
        }
        await ServiceRunner.run(.tenantAdmin, keys: TenantAdminSettings.keys) { @Sendable bootstrap in
            try TenantAdminApplication(bootstrap).build()
        }
    }
}
