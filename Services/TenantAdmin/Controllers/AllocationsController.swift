import Contracts
import HTTPTypes
import Hummingbird
import ServiceKit

/// Who works on what.
///
/// | method | path                | permission          |
/// | ------ | ------------------- | ------------------- |
/// | GET    | `/allocations`      | allocations: read   |
/// | POST   | `/allocations`      | allocations: write  |
/// | GET    | `/allocations/{id}` | allocations: read   |
/// | PATCH  | `/allocations/{id}` | allocations: update |
/// | DELETE | `/allocations/{id}` | allocations: delete |
struct AllocationsController: Sendable {
    let allocations: Allocations

    func addRoutes(to group: RouterGroup<ServiceRequestContext>) {
        group.get("allocations", use: list)
        group.post("allocations", use: create)
        group.get("allocations/:id", use: show)
        group.patch("allocations/:id", use: update)
        group.delete("allocations/:id", use: delete)
    }

    @Sendable func list(_ request: Request, _ context: ServiceRequestContext) async throws -> Response {
        let caller = try context.authorise(.read, on: .allocations)
        var query = try QueryParameters(request)
        let page = query.page()
        let filter = Allocations.Filter(
            externalID: query.string("externalId"), employee: query.identifier("employeeId"),
            project: query.identifier("projectId"), isCompleted: query.bool("isCompleted"))
        try query.finish()
        let found = try await allocations.page(
            of: caller.tenant, filter: filter, limit: page.limit + 1, after: try page.position())
        return try page.answer(found) { [$0.externalId] }
    }

    @Sendable func create(_ request: Request, _ context: ServiceRequestContext) async throws -> Response {
        let caller = try context.authorise(.write, on: .allocations)
        try request.rejectQuery()
        let payload = try await request.payload(CreateAllocationRequest.self, context: context)
        let author = try context.author()
        let allocation = try await allocations.create(
            payload, in: caller.tenant, by: author, once: try request.idempotencyKey(author, payload))
        return try Answer.created(
            allocation, location: "/api/v1/allocations/\(allocation.id)",
            headers: [.eTag: try EntityTag(of: allocation).headerValue])
    }

    @Sendable func show(_ request: Request, _ context: ServiceRequestContext) async throws -> Response {
        let caller = try context.authorise(.read, on: .allocations)
        try request.rejectQuery()
        let allocation = try await allocations.allocation(try context.identifier("id"), of: caller.tenant)
        return try Answer.resource(allocation, tag: try EntityTag(of: allocation), for: request)
    }

    @Sendable func update(_ request: Request, _ context: ServiceRequestContext) async throws -> Response {
        let caller = try context.authorise(.update, on: .allocations)
        try request.rejectQuery()
        let payload = try await request.payload(UpdateAllocationRequest.self, context: context)
        let allocation = try await allocations.update(
            try context.identifier("id"), with: payload, in: caller.tenant, by: try context.author()
        ) { try EntityTag(of: $0).checkIfMatch(request) }
        return try Answer.resource(allocation, tag: try EntityTag(of: allocation), for: request)
    }

    @Sendable func delete(_ request: Request, _ context: ServiceRequestContext) async throws -> Response {
        let caller = try context.authorise(.delete, on: .allocations)
        try request.rejectQuery()
        try await allocations.delete(try context.identifier("id"), in: caller.tenant, by: try context.author()) {
            try EntityTag(of: $0).checkIfMatch(request)
        }
        return Answer.noContent()
    }
}
