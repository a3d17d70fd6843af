import Contracts
import ServiceKit

/// New passwords for people who have forgotten theirs.
struct PasswordResetController: Controller {
    let resets: PasswordResets

    static func addRoutes(to routes: inout RouteList<Self>) {
        routes.on(.post, "auth/password-reset", "startPasswordReset", .namedTenant, use: start)
        routes.on(
            .post, "auth/password-reset/confirm", "confirmPasswordReset", .namedTenant, fails: [.invalidCredentials],
            use: confirm)
    }

    private func start(_ call: Call<TenantID>, _ payload: PasswordResetRequest) async throws
        -> Accepted<PasswordResetStarted>
    {
        try await resets.start(payload, in: call.tenant)
        return Accepted(PasswordResetStarted())
    }

    /// The token says who it is.
    private func confirm(_ call: Call<TenantID>, _ payload: ConfirmPasswordResetRequest) async throws -> NoContent {
        try await resets.confirm(payload, in: call.tenant, requestID: call.requestID)
        return NoContent()
    }
}
