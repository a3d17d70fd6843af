import Contracts
import Hummingbird
import ServiceKit

/// New passwords for people who have forgotten theirs.
///
/// | method | path                           | permission                     |
/// | ------ | ------------------------------ | ------------------------------ |
/// | POST   | `/auth/password-reset`         | none                           |
/// | POST   | `/auth/password-reset/confirm` | none: the token says who it is |
struct PasswordResetController: Sendable {
    let resets: PasswordResets

    func addRoutes(to group: RouterGroup<ServiceRequestContext>) {
        group.post("auth/password-reset", use: start)
        group.post("auth/password-reset/confirm", use: confirm)
    }

    @Sendable func start(_ request: Request, _ context: ServiceRequestContext) async throws -> Response {
        let tenant = try context.namedTenant()
        try request.rejectQuery()
        let payload = try await request.payload(PasswordResetRequest.self, context: context)
        try await resets.start(payload, in: tenant)
        return try Answer.accepted(PasswordResetStarted())
    }

    @Sendable func confirm(_ request: Request, _ context: ServiceRequestContext) async throws -> Response {
        let tenant = try context.namedTenant()
        try request.rejectQuery()
        let payload = try await request.payload(ConfirmPasswordResetRequest.self, context: context)
        try await resets.confirm(payload, in: tenant, requestID: context.requestID)
        return Answer.noContent()
    }
}
