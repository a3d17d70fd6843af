import Contracts
import HTTPTypes
import Hummingbird
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
    private func confirm(_ call: Call<TenantID>, _ payload: ConfirmPasswordResetRequest) async throws -> Proven {
        Proven(email: try await resets.confirm(payload, in: call.tenant, requestID: call.requestID))
    }
}

/// 204, and for the gateway alone: whose owner has just proved who they are, so that strangers' guesses lock them out no longer.
struct Proven: RouteAnswer {
    let email: String

    static var description: AnswerDescription { .init(.noContent) }

    func response(to request: Request) throws -> Response {
        var response = Response(status: .noContent)
        if let name = HTTPField.Name(HeaderName.provenAccount) {
            response.headers[name] = Base64URL.encode(Array(email.utf8))
        }
        return response
    }
}
