import Contracts
import HTTPTypes
import Hummingbird
import ServiceKit
import ServiceStorage

/// The five routes of a ``ResourceStore``: list, create, show, update and delete, under the resource's own name.
///
/// Lists are paged, creation takes an `Idempotency-Key`, single ones carry an `ETag` and take `If-Match`.
protocol ResourceController: Sendable {
    associatedtype Store: ResourceStore

    /// The path's first segment and what permissions speak of.
    static var resource: Resource { get }
    var store: Store { get }
    /// What the list can be narrowed by.
    func filter(_ query: inout QueryParameters) -> Store.Filter
}

extension ResourceController {
    func addRoutes(to group: RouterGroup<ServiceRequestContext>) { addResourceRoutes(to: group) }

    func addResourceRoutes(to group: RouterGroup<ServiceRequestContext>) {
        let path = Self.resource.rawValue
        group.get("\(path)") { try await list($0, $1) }
        group.post("\(path)") { try await create($0, $1) }
        group.get("\(path)/:id") { try await show($0, $1) }
        group.patch("\(path)/:id") { try await update($0, $1) }
        group.delete("\(path)/:id") { try await delete($0, $1) }
    }

    private func list(_ request: Request, _ context: ServiceRequestContext) async throws -> Response {
        let caller = try context.authorise(.read, on: Self.resource)
        var query = try QueryParameters(request)
        let page = query.page()
        let filter = filter(&query)
        try query.finish()
        let found = try await store.page(
            of: caller.tenant, filter: filter, limit: page.limit + 1, after: try page.position())
        return try page.answer(found) { [Store.position(of: $0)] }
    }

    private func create(_ request: Request, _ context: ServiceRequestContext) async throws -> Response {
        let caller = try context.authorise(.write, on: Self.resource)
        try request.rejectQuery()
        let payload = try await request.payload(Store.Creation.self, context: context)
        let item = try await store.create(
            payload, by: try context.editor(caller), once: try request.idempotencyKey(of: caller, for: payload))
        return try Answer.created(
            item, location: "/api/v1/\(Self.resource.rawValue)/\(Store.id(of: item))",
            headers: [.eTag: try EntityTag(of: item).headerValue])
    }

    private func show(_ request: Request, _ context: ServiceRequestContext) async throws -> Response {
        let caller = try context.authorise(.read, on: Self.resource)
        try request.rejectQuery()
        let item = try await store.item(try context.identifier("id"), of: caller.tenant)
        return try Answer.resource(item, tag: try EntityTag(of: item), for: request)
    }

    private func update(_ request: Request, _ context: ServiceRequestContext) async throws -> Response {
        let caller = try context.authorise(.update, on: Self.resource)
        try request.rejectQuery()
        let payload = try await request.payload(Store.Edit.self, context: context)
        let item = try await store.update(
            try context.identifier("id"), with: payload, by: try context.editor(caller)
        ) { try EntityTag(of: $0).checkIfMatch(request) }
        return try Answer.resource(item, tag: try EntityTag(of: item), for: request)
    }

    private func delete(_ request: Request, _ context: ServiceRequestContext) async throws -> Response {
        let caller = try context.authorise(.delete, on: Self.resource)
        try request.rejectQuery()
        try await store.delete(try context.identifier("id"), by: try context.editor(caller)) {
            try EntityTag(of: $0).checkIfMatch(request)
        }
        return Answer.noContent()
    }
}
