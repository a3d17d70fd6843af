import Contracts
import ServiceKit
import ServiceStorage

/// The tenants of this installation, for the platform operator.
struct TenantsController: Controller {
    let tenants: Tenants
    let purge: TenantPurge

    static func addRoutes(to routes: inout RouteList<Self>) {
        routes.on(
            .post, "tenants", "createTenant", .platformOperator, takes: [.idempotencyKey], fails: [.conflict],
            use: create)
        routes.on(.get, "tenants", "listTenants", .platformOperator, use: list)
        routes.on(.get, "tenants/{id}", "getTenant", .platformOperator, use: show)
        routes.on(
            .patch, "tenants/{id}", "updateTenant", .platformOperator, takes: [.ifMatch], fails: [.conflict],
            use: update)
        routes.on(
            .delete, "tenants/{id}", "deleteTenant", .platformOperator, takes: [.ifMatch], fails: [.conflict],
            use: delete)
        routes.on(
            .post, "tenants/{id}/suspend", "suspendTenant", .platformOperator, takes: [.ifMatch], fails: [.conflict],
            use: suspend)
        routes.on(
            .post, "tenants/{id}/resume", "resumeTenant", .platformOperator, takes: [.ifMatch], fails: [.conflict],
            use: resume)
        routes.on(
            .post, "tenants/{id}/restore", "restoreTenant", .platformOperator, takes: [.ifMatch], fails: [.conflict],
            use: restore)
        routes.on(
            .post, "tenants/{id}/purge", "purgeTenant", .platformOperator, fails: [.conflict], use: beginPurge)
    }

    private func create(_ call: OperatorCall, _ payload: CreateTenantRequest) async throws -> Created<Tenant> {
        let asked = CreateTenantRequest(
            name: payload.name, subdomain: payload.subdomain, plan: payload.plan, adminEmail: payload.adminEmail,
            adminName: payload.adminName, adminPassword: payload.adminPassword == nil ? nil : "",
            settings: payload.settings, defaults: payload.defaults)
        let tenant = try await tenants.create(
            payload, by: call.author, once: try call.idempotencyKey(for: asked))
        return try Created(tenant, at: "tenants/\(tenant.id)")
    }

    private func list(_ call: OperatorCall, _ page: PageQuery<NewestFirst<TenantEntity>>) async throws -> Listed<Tenant>
    {
        try Listed(try await tenants.page(limit: page.readLimit, after: page.after), page) {
            NewestFirst(createdAt: $0.createdAt, id: $0.id)
        }
    }

    private func show(_ call: OperatorCall) async throws -> Tagged<Tenant> {
        try Tagged(try await tenants.tenant(try call.id("id")))
    }

    private func update(_ call: OperatorCall, _ payload: UpdateTenantRequest) async throws -> Tagged<Tenant> {
        try Tagged(
            try await tenants.update(try call.id("id"), with: payload, by: call.author) { try call.checkIfMatch($0) })
    }

    private func delete(_ call: OperatorCall) async throws -> Tagged<Tenant> { try await change(call, .delete) }
    private func suspend(_ call: OperatorCall) async throws -> Tagged<Tenant> { try await change(call, .suspend) }
    private func resume(_ call: OperatorCall) async throws -> Tagged<Tenant> { try await change(call, .resume) }
    private func restore(_ call: OperatorCall) async throws -> Tagged<Tenant> { try await change(call, .restore) }

    /// Answers before it is done: every service has to remove what it has.
    private func beginPurge(_ call: OperatorCall) async throws -> NoContent {
        try await purge.begin(try call.id("id"))
        return NoContent()
    }

    private func change(_ call: OperatorCall, _ transition: TenantTransition) async throws -> Tagged<Tenant> {
        try Tagged(
            try await tenants.apply(transition, to: try call.id("id"), by: call.author) { try call.checkIfMatch($0) })
    }
}
