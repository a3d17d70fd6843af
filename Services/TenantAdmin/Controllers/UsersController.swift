import Contracts
import HTTPTypes
import Hummingbird
import ServiceKit
import ServiceStorage

/// Who can log in to the tenant, and what for.
///
/// | method | path          | permission       |
/// | ------ | ------------- | ---------------- |
/// | GET    | `/users`      | users: read      |
/// | POST   | `/users`      | users: write     |
/// | GET    | `/users/{id}` | users: read      |
/// | PATCH  | `/users/{id}` | users: update    |
/// | DELETE | `/users/{id}` | users: delete    |
struct UsersController: Sendable {
    let users: Users

    func addRoutes(to group: RouterGroup<ServiceRequestContext>) {
        group.get("users", use: list)
        group.post("users", use: create)
        group.get("users/:id", use: show)
        group.patch("users/:id", use: update)
        group.delete("users/:id", use: delete)
    }

    @Sendable func list(_ request: Request, _ context: ServiceRequestContext) async throws -> Response {
        let caller = try context.authorise(.read, on: .users)
        var query = try QueryParameters(request)
        let page = query.page()
        let email = query.string("email")
        let isActive = query.bool("isActive")
        try query.finish()
        let found = try await users.page(
            of: caller.tenant, email: email, isActive: isActive, limit: page.limit + 1, after: try page.position())
        return try page.answer(found) { [$0.email.lowercased()] }
    }

    @Sendable func create(_ request: Request, _ context: ServiceRequestContext) async throws -> Response {
        let caller = try context.authorise(.write, on: .users)
        try request.rejectQuery()
        let payload = try await request.payload(CreateUserRequest.self, context: context)
        let author = try context.author()
        let asked = CreateUserRequest(email: payload.email, name: payload.name, roles: payload.roles)
        let user = try await users.create(
            payload, in: caller.tenant, by: author, holding: caller.permissions,
            once: try request.idempotencyKey(of: caller, for: asked))
        return try Answer.created(
            user, location: "/api/v1/users/\(user.id)", headers: [.eTag: try EntityTag(of: user).headerValue])
    }

    @Sendable func show(_ request: Request, _ context: ServiceRequestContext) async throws -> Response {
        let caller = try context.authorise(.read, on: .users)
        try request.rejectQuery()
        let user = try await users.user(try context.identifier("id"), of: caller.tenant)
        return try Answer.resource(user, tag: try EntityTag(of: user), for: request)
    }

    @Sendable func update(_ request: Request, _ context: ServiceRequestContext) async throws -> Response {
        let caller = try context.authorise(.update, on: .users)
        try request.rejectQuery()
        let payload = try await request.payload(UpdateUserRequest.self, context: context)
        let user = try await users.update(
            try context.identifier("id"), with: payload, in: caller.tenant, by: try context.author(),
            holding: caller.permissions
        ) { try EntityTag(of: $0).checkIfMatch(request) }
        return try Answer.resource(user, tag: try EntityTag(of: user), for: request)
    }

    @Sendable func delete(_ request: Request, _ context: ServiceRequestContext) async throws -> Response {
        let caller = try context.authorise(.delete, on: .users)
        try request.rejectQuery()
        try await users.delete(
            try context.identifier("id"), in: caller.tenant, by: try context.author(), holding: caller.permissions
        ) { try EntityTag(of: $0).checkIfMatch(request) }
        return Answer.noContent()
    }
}
