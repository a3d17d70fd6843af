import Contracts
import ServiceKit

@main struct App {
    static func main() async {
        await ServiceRunner.run(.tenantAdmin, keys: TenantAdmin.configurationKeys) { @Sendable bootstrap in
            try TenantAdmin.build(bootstrap)
        }
    }
}
