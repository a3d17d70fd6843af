import Contracts
import ServiceKit

/// How the services are, for those who look after the platform.
struct HealthController: Controller {
    let platform: PlatformHealth

    static func addRoutes(to routes: inout RouteList<Self>) {
        routes.on(.get, "health", "getPlatformHealth", .platformOperator, use: show)
    }

    private func show(_ call: OperatorCall) async throws -> OK<[ServiceHealth]> {
        OK(await platform.services(), headers: .notStored)
    }
}
