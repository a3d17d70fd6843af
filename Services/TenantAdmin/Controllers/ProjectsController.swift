import Contracts
import HTTPTypes
import Hummingbird
import ServiceKit

/// What people work on.
///
/// | method | path             | permission       |
/// | ------ | ---------------- | ---------------- |
/// | GET    | `/projects`      | projects: read   |
/// | POST   | `/projects`      | projects: write  |
/// | GET    | `/projects/{id}` | projects: read   |
/// | PATCH  | `/projects/{id}` | projects: update |
/// | DELETE | `/projects/{id}` | projects: delete |
struct ProjectsController: Sendable {
    let projects: Projects

    func addRoutes(to group: RouterGroup<ServiceRequestContext>) {
        group.get("projects", use: list)
        group.post("projects", use: create)
        group.get("projects/:id", use: show)
        group.patch("projects/:id", use: update)
        group.delete("projects/:id", use: delete)
    }

    @Sendable func list(_ request: Request, _ context: ServiceRequestContext) async throws -> Response {
        let caller = try context.authorise(.read, on: .projects)
        var query = try QueryParameters(request)
        let page = query.page()
        let filter = Projects.Filter(externalID: query.string("externalId"), status: query.choice("status"))
        try query.finish()
        let found = try await projects.page(
            of: caller.tenant, filter: filter, limit: page.limit + 1, after: try page.position())
        return try page.answer(found) { [$0.externalId] }
    }

    @Sendable func create(_ request: Request, _ context: ServiceRequestContext) async throws -> Response {
        let caller = try context.authorise(.write, on: .projects)
        try request.rejectQuery()
        let payload = try await request.payload(CreateProjectRequest.self, context: context)
        let author = try context.author()
        let project = try await projects.create(
            payload, in: caller.tenant, by: author, once: try request.idempotencyKey(author, payload))
        return try Answer.created(
            project, location: "/api/v1/projects/\(project.id)",
            headers: [.eTag: try EntityTag(of: project).headerValue])
    }

    @Sendable func show(_ request: Request, _ context: ServiceRequestContext) async throws -> Response {
        let caller = try context.authorise(.read, on: .projects)
        try request.rejectQuery()
        let project = try await projects.project(try context.identifier("id"), of: caller.tenant)
        return try Answer.resource(project, tag: try EntityTag(of: project), for: request)
    }

    @Sendable func update(_ request: Request, _ context: ServiceRequestContext) async throws -> Response {
        let caller = try context.authorise(.update, on: .projects)
        try request.rejectQuery()
        let payload = try await request.payload(UpdateProjectRequest.self, context: context)
        let project = try await projects.update(
            try context.identifier("id"), with: payload, in: caller.tenant, by: try context.author()
        ) { try EntityTag(of: $0).checkIfMatch(request) }
        return try Answer.resource(project, tag: try EntityTag(of: project), for: request)
    }

    @Sendable func delete(_ request: Request, _ context: ServiceRequestContext) async throws -> Response {
        let caller = try context.authorise(.delete, on: .projects)
        try request.rejectQuery()
        try await projects.delete(try context.identifier("id"), in: caller.tenant, by: try context.author()) {
            try EntityTag(of: $0).checkIfMatch(request)
        }
        return Answer.noContent()
    }
}
