import Contracts
import ServiceKit
import ServiceStorage

/// The five routes of an ``EmployeePartStore``, below the employee. Writes answer with warnings, and with `?dryRun=true` change
/// nothing.
protocol EmployeePartController: Controller {
    associatedtype Store: EmployeePartStore

    /// The path's last segment: `contracts`.
    static var segment: String { get }
    var store: Store { get }
}

extension EmployeePartController {
    static func addRoutes(to routes: inout RouteList<Self>) {
        let one = Store.noun.prefix(1).uppercased() + Store.noun.dropFirst()
        let (all, single): (RoutePath, RoutePath) = (
            "employees/{id}/\(Self.segment)", "employees/{id}/\(Self.segment)/{partId}"
        )
        routes.on(.get, all, "list\(one)s", .may(.read, .employees), use: list)
        routes.on(
            .post, all, "create\(one)", .may(.update, .employees), takes: [.idempotencyKey], fails: [.conflict],
            use: create)
        routes.on(.get, single, "get\(one)", .may(.read, .employees), use: show)
        routes.on(
            .patch, single, "update\(one)", .may(.update, .employees), takes: [.ifMatch], fails: [.conflict],
            use: update)
        routes.on(
            .delete, single, "delete\(one)", .may(.update, .employees), takes: [.ifMatch], fails: [.conflict],
            use: delete)
    }

    /// All on one page.
    private func list(_ call: TenantCall) async throws -> TaggedList<Store.Item> {
        TaggedList(try await store.all(of: try call.id("id"), in: call.tenant))
    }

    private func show(_ call: TenantCall) async throws -> Tagged<Store.Item> {
        try Tagged(try await store.one(try call.id("partId"), of: try call.id("id"), in: call.tenant))
    }

    private func create(
        _ call: TenantCall, _ mode: WriteMode, _ payload: Store.Creation
    ) async throws -> CreatedWithWarnings<Store.Item> {
        let employee: EmployeeID = try call.id("id")
        let made = try await store.create(
            payload, of: employee, by: call.caller, dryRun: mode.isDryRun,
            once: try call.idempotencyKey(for: payload))
        return CreatedWithWarnings(
            made.item, made.warnings, tag: try EntityTag(of: made.item),
            at: "employees/\(employee)/\(Self.segment)/\(Store.id(of: made.item))", mode)
    }

    private func update(
        _ call: TenantCall, _ mode: WriteMode, _ payload: Store.Edit
    ) async throws -> ChangedWithWarnings<Store.Item> {
        let changed = try await store.update(
            try call.id("partId"), of: try call.id("id"), with: payload, by: call.caller, dryRun: mode.isDryRun
        ) { try call.checkIfMatch($0) }
        return ChangedWithWarnings(changed.item, changed.warnings, tag: try EntityTag(of: changed.item), mode)
    }

    private func delete(_ call: TenantCall, _ mode: WriteMode) async throws -> RemovedWithWarnings<Store.Item> {
        let gone = try await store.delete(
            try call.id("partId"), of: try call.id("id"), by: call.caller, dryRun: mode.isDryRun
        ) { try call.checkIfMatch($0) }
        return RemovedWithWarnings(gone.item, gone.warnings, mode)
    }
}

/// The periods of a person's employment.
struct EmploymentController: EmployeePartController {
    static let segment = "employment"
    let store: Employments
}

/// A person's contracts: working hours by weekday.
struct ContractsController: EmployeePartController {
    static let segment = "contracts"
    let store: EmploymentContracts
}
