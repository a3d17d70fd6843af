import Contracts
import ServiceKit

/// Which roles a user holds.
struct UserRolesController: Controller {
    let users: Users

    static func addRoutes(to routes: inout RouteList<Self>) {
        routes.on(.get, "users/{id}/roles", "getUserRoles", .may(.read, .users), use: show)
        routes.on(
            .put, "users/{id}/roles", "putUserRoles", .may(.update, .users), takes: [.ifMatch], fails: [.conflict],
            use: replace)
    }

    private func show(_ call: TenantCall) async throws -> Tagged<UserRoles> {
        try Tagged(UserRoles(roles: try await users.user(try call.id("id"), of: call.tenant).roles))
    }

    private func replace(_ call: TenantCall, _ payload: UserRoles) async throws -> Tagged<UserRoles> {
        let user = try await users.update(
            try call.id("id"), with: UpdateUserRequest(roles: payload.roles), in: call.tenant, by: call.author,
            holding: call.caller.permissions
        ) { try call.checkIfMatch(UserRoles(roles: $0.roles)) }
        return try Tagged(UserRoles(roles: user.roles))
    }
}
