import Contracts
import ServiceKit

@main struct App {
    static func main() async {
        await ServiceRunner.run(.tenantAdmin, keys: TenantAdminSettings.keys) { @Sendable bootstrap in
            try TenantAdminApplication(bootstrap).build()
        }
    }
}
