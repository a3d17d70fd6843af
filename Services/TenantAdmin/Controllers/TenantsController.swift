import Contracts
import HTTPTypes
import Hummingbird
import ServiceKit
import ServiceStorage

/// The tenants of this installation, for the platform operator.
///
/// | method | path                    | permission        |
/// | ------ | ----------------------- | ----------------- |
/// | POST   | `/tenants`              | platform operator |
/// | GET    | `/tenants`              | platform operator |
/// | GET    | `/tenants/{id}`         | platform operator |
/// | PATCH  | `/tenants/{id}`         | platform operator |
/// | DELETE | `/tenants/{id}`         | platform operator |
/// | POST   | `/tenants/{id}/suspend` | platform operator |
/// | POST   | `/tenants/{id}/resume`  | platform operator |
/// | POST   | `/tenants/{id}/restore` | platform operator |
struct TenantsController: Sendable {
    let tenants: Tenants

    func addRoutes(to group: RouterGroup<ServiceRequestContext>) {
        group.post("tenants", use: create)
        group.get("tenants", use: list)
        group.get("tenants/:id", use: show)
        group.patch("tenants/:id", use: update)
        group.delete("tenants/:id") { try await change($0, $1, .delete) }
        group.post("tenants/:id/suspend") { try await change($0, $1, .suspend) }
        group.post("tenants/:id/resume") { try await change($0, $1, .resume) }
        group.post("tenants/:id/restore") { try await change($0, $1, .restore) }
    }

    @Sendable func create(_ request: Request, _ context: ServiceRequestContext) async throws -> Response {
        try context.requirePlatformOperator()
        try request.rejectQuery()
        let payload = try await request.payload(CreateTenantRequest.self, context: context)
        let author = try context.author()
        let asked = CreateTenantRequest(
            name: payload.name, subdomain: payload.subdomain, plan: payload.plan, adminEmail: payload.adminEmail,
            adminName: payload.adminName, adminPassword: "", settings: payload.settings)
        let key = try request.idempotencyKey(of: author.name, for: asked)
        let tenant = try await tenants.create(payload, by: author, once: key)
        return try Answer.created(
            tenant, location: "/api/v1/tenants/\(tenant.id)", headers: [.eTag: try EntityTag(of: tenant).headerValue])
    }

    @Sendable func list(_ request: Request, _ context: ServiceRequestContext) async throws -> Response {
        try context.requirePlatformOperator()
        let page = try request.pageQuery()
        let last: NewestFirst<TenantEntity>? = try RowCursor.decode(from: page.cursor)
        let found = try await tenants.page(limit: page.limit + 1, after: last)
        return try Answer.page(found, limit: page.limit) { NewestFirst(createdAt: $0.createdAt, id: $0.id) }
    }

    @Sendable func show(_ request: Request, _ context: ServiceRequestContext) async throws -> Response {
        try context.requirePlatformOperator()
        try request.rejectQuery()
        let tenant = try await tenants.tenant(try context.identifier("id"))
        return try Answer.resource(tenant, tag: try EntityTag(of: tenant), for: request)
    }

    @Sendable func update(_ request: Request, _ context: ServiceRequestContext) async throws -> Response {
        try context.requirePlatformOperator()
        try request.rejectQuery()
        let payload = try await request.payload(UpdateTenantRequest.self, context: context)
        let tenant = try await tenants.update(
            try context.identifier("id"), with: payload, by: try context.author()
        ) { try EntityTag(of: $0).checkIfMatch(request) }
        return try Answer.resource(tenant, tag: try EntityTag(of: tenant), for: request)
    }

    private func change(
        _ request: Request, _ context: ServiceRequestContext, _ transition: TenantTransition
    ) async throws -> Response {
        try context.requirePlatformOperator()
        try request.rejectQuery()
        let tenant = try await tenants.apply(
            transition, to: try context.identifier("id"), by: try context.author()
        ) { try EntityTag(of: $0).checkIfMatch(request) }
        return try Answer.resource(tenant, tag: try EntityTag(of: tenant), for: request)
    }
}
