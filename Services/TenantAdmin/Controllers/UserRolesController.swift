import Contracts
import Hummingbird
import ServiceKit

/// Which roles a user holds.
///
/// | method | path                | permission    |
/// | ------ | ------------------- | ------------- |
/// | GET    | `/users/{id}/roles` | users: read   |
/// | PUT    | `/users/{id}/roles` | users: update |
struct UserRolesController: Sendable {
    let users: Users

    func addRoutes(to group: RouterGroup<ServiceRequestContext>) {
        group.get("users/:id/roles", use: show)
        group.put("users/:id/roles", use: replace)
    }

    @Sendable func show(_ request: Request, _ context: ServiceRequestContext) async throws -> Response {
        let caller = try context.authorise(.read, on: .users)
        try request.rejectQuery()
        let user = try await users.user(try context.identifier("id"), of: caller.tenant)
        return try Self.answer(user, for: request)
    }

    @Sendable func replace(_ request: Request, _ context: ServiceRequestContext) async throws -> Response {
        let caller = try context.authorise(.update, on: .users)
        try request.rejectQuery()
        let payload = try await request.payload(UserRoles.self, context: context)
        let user = try await users.update(
            try context.identifier("id"), with: UpdateUserRequest(roles: payload.roles), in: caller.tenant,
            by: try context.author(), holding: caller.permissions
        ) { try EntityTag(of: UserRoles(roles: $0.roles)).checkIfMatch(request) }
        return try Self.answer(user, for: request)
    }

    private static func answer(_ user: User, for request: Request) throws -> Response {
        let roles = UserRoles(roles: user.roles)
        return try Answer.resource(roles, tag: try EntityTag(of: roles), for: request)
    }
}
