import Contracts
import ServiceKit
import ServiceStorage

/// Who can log in to the tenant, and what for.
struct UsersController: Controller {
    let users: Users

    static func addRoutes(to routes: inout RouteList<Self>) {
        routes.on(.get, "users", "listUsers", .may(.read, .users), use: list)
        routes.on(
            .post, "users", "createUser", .may(.write, .users), takes: [.idempotencyKey],
            fails: [.conflict, .quotaExceeded], use: create)
        routes.on(.get, "users/{id}", "getUser", .may(.read, .users), use: show)
        routes.on(
            .patch, "users/{id}", "updateUser", .may(.update, .users), takes: [.ifMatch],
            fails: [.conflict, .quotaExceeded], use: update)
        routes.on(
            .delete, "users/{id}", "deleteUser", .may(.delete, .users), takes: [.ifMatch], fails: [.conflict],
            use: delete)
    }

    private func list(_ call: TenantCall, _ query: ListQuery<UserFilter, TextPosition>) async throws -> Listed<User> {
        let found = try await users.page(
            of: call.tenant, email: query.filter.email, isActive: query.filter.isActive, limit: query.page.readLimit,
            after: query.page.after?.key)
        // As the database makes letters small: other programs do some of them otherwise, and the list would end or begin anew there.
        return try Listed(found, query.page, position: { TextPosition($0.position) }, item: \.user)
    }

    private func create(_ call: TenantCall, _ payload: CreateUserRequest) async throws -> Created<User> {
        // Whether there is a password, but not which: its digest would be there to be guessed at.
        let asked = CreateUserRequest(
            email: payload.email, name: payload.name, password: payload.password == nil ? nil : "",
            roles: payload.roles)
        let user = try await users.create(
            payload, in: call.tenant, by: call.author, holding: call.caller.permissions,
            once: try call.idempotencyKey(for: asked))
        return try Created(user, at: "users/\(user.id)")
    }

    private func show(_ call: TenantCall) async throws -> Tagged<User> {
        try Tagged(try await users.user(try call.id("id"), of: call.tenant))
    }

    private func update(_ call: TenantCall, _ payload: UpdateUserRequest) async throws -> Tagged<User> {
        try Tagged(
            try await users.update(
                try call.id("id"), with: payload, in: call.tenant, by: call.author, holding: call.caller.permissions
            ) { try call.checkIfMatch($0) })
    }

    private func delete(_ call: TenantCall) async throws -> NoContent {
        try await users.delete(
            try call.id("id"), in: call.tenant, by: call.author, holding: call.caller.permissions
        ) { try call.checkIfMatch($0) }
        return NoContent()
    }
}

struct UserFilter: RouteQuery {
    let email: String?
    let isActive: Bool?

    init(_ query: inout QueryParameters) {
        email = query.string("email")
        isActive = query.bool("isActive")
    }
}
