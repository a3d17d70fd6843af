import Contracts
import ServiceKit
import ServiceStorage

/// The five routes of a ``ResourceStore``: list, create, show, update and delete, under the resource's own name.
///
/// Lists are paged, creation takes an `Idempotency-Key`, single ones carry an `ETag` and take `If-Match`.
protocol ResourceController: Controller {
    associatedtype Store: ResourceStore
    /// What a client is shown of an item.
    associatedtype Shown: Codable & Sendable = Store.Item

    /// The path's first segment and what permissions speak of.
    static var resource: Resource { get }
    var store: Store { get }

    /// One for each item, in their order. The `ETag` is that of the item.
    func shown(_ items: [Store.Item], to caller: TenantCaller) async throws -> [Shown]
}

extension ResourceController where Shown == Store.Item {
    func shown(_ items: [Store.Item], to caller: TenantCaller) async throws -> [Shown] { items }
}

extension ResourceController {
    static func addRoutes(to routes: inout RouteList<Self>) { addResourceRoutes(to: &routes) }

    /// - Parameter areUpdatesPlanned: whether an update may concern planning, as with ``addPlanningRoutes(to:)``.
    static func addResourceRoutes(to routes: inout RouteList<Self>, areUpdatesPlanned: Bool = false) {
        addReading(to: &routes)
        routes.on(
            .post, "\(Self.path)", "create\(Self.one)", .may(.write, resource), takes: [.idempotencyKey],
            fails: refusals, use: create)
        if areUpdatesPlanned {
            addPlanningUpdate(to: &routes)
        } else {
            routes.on(
                .patch, "\(Self.path)/{id}", "update\(Self.one)", .may(.update, resource), takes: [.ifMatch],
                fails: refusals, use: update)
        }
        routes.on(
            .delete, "\(Self.path)/{id}", "delete\(Self.one)", .may(.delete, resource), takes: [.ifMatch],
            fails: [.conflict], use: delete)
    }

    /// The same for what planning depends on: writes answer with warnings, and with `?dryRun=true` change nothing.
    static func addPlanningRoutes(to routes: inout RouteList<Self>) {
        addReading(to: &routes)
        routes.on(
            .post, "\(Self.path)", "create\(Self.one)", .may(.write, resource), takes: [.idempotencyKey],
            fails: refusals.union([.overbooked]), use: planned)
        addPlanningUpdate(to: &routes)
        routes.on(
            .delete, "\(Self.path)/{id}", "delete\(Self.one)", .may(.delete, resource), takes: [.ifMatch],
            fails: [.conflict], use: removed)
    }

    private static func addPlanningUpdate(to routes: inout RouteList<Self>) {
        routes.on(
            .patch, "\(Self.path)/{id}", "update\(Self.one)", .may(.update, resource), takes: [.ifMatch],
            fails: refusals.union([.overbooked]), use: changed)
    }

    private static func addReading(to routes: inout RouteList<Self>) {
        let all = path.prefix(1).uppercased() + path.dropFirst()
        routes.on(.get, "\(Self.path)", "list\(all)", .may(.read, resource), use: list)
        routes.on(.get, "\(Self.path)/{id}", "get\(Self.one)", .may(.read, resource), use: show)
    }

    private static var path: String { resource.rawValue }
    private static var one: String { Store.noun.prefix(1).uppercased() + Store.noun.dropFirst() }
    private static var refusals: Set<ErrorCode> { Store.quota == nil ? [.conflict] : [.conflict, .quotaExceeded] }

    private func list(
        _ call: TenantCall, _ query: ListQuery<Store.Filter, TextPosition>
    ) async throws -> Listed<Shown> {
        let found = try await store.page(query, of: call.tenant)
        let rows = Array(zip(found, try await shown(found, to: call.caller)))
        return try Listed(rows, query.page, position: { TextPosition(Store.position(of: $0.0)) }, item: { $0.1 })
    }

    private func show(_ call: TenantCall) async throws -> Tagged<Shown> {
        let item = try await store.item(try call.id("id"), of: call.tenant)
        return Tagged(try await shown(item, call), tag: try EntityTag(of: item))
    }

    private func create(_ call: TenantCall, _ payload: Store.Creation) async throws -> Created<Store.Item> {
        let made = try await store.create(payload, by: call.caller, once: try call.idempotencyKey(for: payload))
        return try Created(made.item, at: "\(Self.path)/\(Store.id(of: made.item))")
    }

    private func update(_ call: TenantCall, _ payload: Store.Edit) async throws -> Tagged<Store.Item> {
        let changed = try await store.update(try call.id("id"), with: payload, by: call.caller) {
            try call.checkIfMatch($0)
        }
        return try Tagged(changed.item)
    }

    private func delete(_ call: TenantCall) async throws -> NoContent {
        _ = try await store.delete(try call.id("id"), by: call.caller) { try call.checkIfMatch($0) }
        return NoContent()
    }

    private func planned(
        _ call: TenantCall, _ mode: WriteMode, _ payload: Store.Creation
    ) async throws -> CreatedWithWarnings<Shown> {
        let made = try await store.create(
            payload, by: call.caller, dryRun: mode.isDryRun, once: try call.idempotencyKey(for: payload))
        return CreatedWithWarnings(
            try await shown(made.item, call), made.warnings, tag: try EntityTag(of: made.item),
            at: "\(Self.path)/\(Store.id(of: made.item))", mode)
    }

    private func changed(
        _ call: TenantCall, _ mode: WriteMode, _ payload: Store.Edit
    ) async throws -> ChangedWithWarnings<Shown> {
        let changed = try await store.update(
            try call.id("id"), with: payload, by: call.caller, dryRun: mode.isDryRun
        ) { try call.checkIfMatch($0) }
        return ChangedWithWarnings(
            try await shown(changed.item, call), changed.warnings, tag: try EntityTag(of: changed.item), mode)
    }

    private func removed(_ call: TenantCall, _ mode: WriteMode) async throws -> RemovedWithWarnings<Store.Item> {
        let gone = try await store.delete(try call.id("id"), by: call.caller, dryRun: mode.isDryRun) {
            try call.checkIfMatch($0)
        }
        return RemovedWithWarnings(gone.item, gone.warnings, mode)
    }

    private func shown(_ item: Store.Item, _ call: TenantCall) async throws -> Shown {
        let shown = try await shown([item], to: call.caller)
        guard let one = shown.first else { throw ProblemError.notFound("\(Self.one)") }
        return one
    }
}
