import Contracts
import ServiceKit

/// Which tenants are to be purged, and which service has done it.
struct InternalPurgesController: Controller {
    let purge: TenantPurge

    static func addRoutes(to routes: inout RouteList<Self>) {
        routes.on(.get, "purges", "listPurges", .services(.gateway, .mlTraining, .mlPrediction), use: due)
        routes.on(.post, "purges", "confirmPurge", .services(.gateway, .mlTraining, .mlPrediction), use: confirm)
    }

    private func due(_ call: ServiceCall) async throws -> OK<[TenantID]> {
        OK(try await purge.due(for: try call.service()))
    }

    private func confirm(_ call: ServiceCall, _ payload: PurgeConfirmation) async throws -> OK<PurgeConfirmation> {
        try await purge.removed(payload.tenantId, rows: payload.rows, by: try call.service())
        return OK(payload)
    }
}
