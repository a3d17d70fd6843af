import Contracts
import ServiceIdentity
import ServiceKit

/// Which tenants are to be purged, and which service has done it.
struct InternalPurgesController: Controller {
    let purge: TenantPurge

    static func addRoutes(to routes: inout RouteList<Self>) {
        routes.on(.get, "purges", "listPurges", .services(.gateway, .mlTraining, .mlPrediction), use: due)
        routes.on(.post, "purges", "confirmPurge", .services(.gateway, .mlTraining, .mlPrediction), use: confirm)
    }

    private func due(_ call: ServiceCall) async throws -> OK<[TenantID]> {
        OK(try await purge.due(for: try service(call)))
    }

    private func confirm(_ call: ServiceCall, _ payload: PurgeConfirmation) async throws -> OK<PurgeConfirmation> {
        try await purge.confirm(payload.tenantId, by: try service(call))
        return OK(payload)
    }

    /// A user's request that the gateway relays is not the gateway's own word.
    private func service(_ call: ServiceCall) throws -> ServiceName {
        guard call.caller.tenant == nil, call.caller.subject == nil, !call.caller.isPlatformOperator else {
            throw ProblemError.permissionDenied()
        }
        return call.caller.issuer
    }
}
