import Contracts
import ServiceKit
import ServiceStorage

/// The five routes of a ``ResourceStore``: list, create, show, update and delete, under the resource's own name.
///
/// Lists are paged, creation takes an `Idempotency-Key`, single ones carry an `ETag` and take `If-Match`.
protocol ResourceController: Controller {
    associatedtype Store: ResourceStore

    /// The path's first segment and what permissions speak of.
    static var resource: Resource { get }
    var store: Store { get }
}

extension ResourceController {
    static func addRoutes(to routes: inout RouteList<Self>) { addResourceRoutes(to: &routes) }

    static func addResourceRoutes(to routes: inout RouteList<Self>) {
        let (path, one) = (resource.rawValue, Store.noun.prefix(1).uppercased() + Store.noun.dropFirst())
        let all = path.prefix(1).uppercased() + path.dropFirst()
        routes.on(.get, "\(path)", "list\(all)", .may(.read, resource), use: list)
        routes.on(
            .post, "\(path)", "create\(one)", .may(.write, resource), takes: [.idempotencyKey],
            fails: Store.quota == nil ? [.conflict] : [.conflict, .quotaExceeded], use: create)
        routes.on(.get, "\(path)/{id}", "get\(one)", .may(.read, resource), use: show)
        routes.on(
            .patch, "\(path)/{id}", "update\(one)", .may(.update, resource), takes: [.ifMatch],
            fails: Store.quota == nil ? [.conflict] : [.conflict, .quotaExceeded], use: update)
        routes.on(
            .delete, "\(path)/{id}", "delete\(one)", .may(.delete, resource), takes: [.ifMatch], fails: [.conflict],
            use: delete)
    }

    private func list(
        _ call: TenantCall, _ query: ListQuery<Store.Filter, TextPosition>
    ) async throws -> Listed<Store.Item> {
        try Listed(try await store.page(query, of: call.tenant), query.page) { TextPosition(Store.position(of: $0)) }
    }

    private func create(_ call: TenantCall, _ payload: Store.Creation) async throws -> Created<Store.Item> {
        let item = try await store.create(payload, by: call.caller, once: try call.idempotencyKey(for: payload))
        return try Created(item, at: "\(Self.resource.rawValue)/\(Store.id(of: item))")
    }

    private func show(_ call: TenantCall) async throws -> Tagged<Store.Item> {
        try Tagged(try await store.item(try call.id("id"), of: call.tenant))
    }

    private func update(_ call: TenantCall, _ payload: Store.Edit) async throws -> Tagged<Store.Item> {
        try Tagged(
            try await store.update(try call.id("id"), with: payload, by: call.caller) { try call.checkIfMatch($0) })
    }

    private func delete(_ call: TenantCall) async throws -> NoContent {
        try await store.delete(try call.id("id"), by: call.caller) { try call.checkIfMatch($0) }
        return NoContent()
    }
}
