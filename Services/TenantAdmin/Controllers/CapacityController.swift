import Contracts
import ServiceKit
import ServiceStorage

/// How much of each employee's day was used.
struct CapacityController: Controller {
    let capacity: CapacityHistory

    static func addRoutes(to routes: inout RouteList<Self>) {
        let day: RoutePath = "capacity-history/{employeeId}/\(date: "date")"
        routes.on(.get, "capacity-history", "listCapacity", .may(.read, .capacity), use: list)
        routes.on(
            .post, "capacity-history", "createCapacity", .may(.write, .capacity), takes: [.idempotencyKey],
            fails: [.conflict], use: create)
        routes.on(.put, "capacity-history", "putCapacity", .may(.update, .capacity), use: write)
        routes.on(
            .delete, "capacity-history", "deleteCapacity", .may(.delete, .capacity), fails: [.notFound], use: deleteMany
        )
        routes.on(.get, day, "getCapacityDay", .may(.read, .capacity), use: show)
        routes.on(.put, day, "putCapacityDay", .may(.update, .capacity), takes: [.ifMatch], use: put)
        routes.on(.delete, day, "deleteCapacityDay", .may(.delete, .capacity), takes: [.ifMatch], use: delete)
    }

    private func list(
        _ call: TenantCall, _ query: ListQuery<CapacityHistory.Filter, CapacityHistory.Day>
    ) async throws -> Listed<CapacityEntry> {
        let found = try await capacity.page(
            of: call.tenant, filter: query.filter, limit: query.page.readLimit, after: query.page.after)
        return try Listed(found, query.page) { CapacityHistory.Day(employee: $0.employeeId, date: $0.date) }
    }

    private func create(_ call: TenantCall, _ payload: CreateCapacityRequest) async throws -> Created<CapacityEntry> {
        let entry = try await capacity.create(
            payload, by: call.caller, once: try call.idempotencyKey(for: payload))
        return try Created(entry, at: "capacity-history/\(entry.employeeId)/\(entry.date)")
    }

    private func write(_ call: TenantCall, _ payload: PutCapacityRequest) async throws -> OK<CapacityWritten> {
        OK(try await capacity.write(payload, by: call.caller))
    }

    private func deleteMany(_ call: TenantCall, _ days: DaysToDelete) async throws -> OK<CapacityRemoved> {
        let deleted = try await capacity.delete(of: days.employee, from: days.from, to: days.to, by: call.caller)
        return OK(CapacityRemoved(deleted: deleted))
    }

    private func show(_ call: TenantCall) async throws -> Tagged<CapacityEntry> {
        try Tagged(try await capacity.entry(try Self.day(call), of: call.tenant))
    }

    private func put(_ call: TenantCall, _ payload: PutCapacityDayRequest) async throws -> Stored<CapacityEntry> {
        let (entry, isNew) = try await capacity.put(payload, on: try Self.day(call), by: call.caller) {
            try call.checkIfMatch($0)
        }
        return Stored(entry, isNew: isNew)
    }

    private func delete(_ call: TenantCall) async throws -> NoContent {
        try await capacity.delete(try Self.day(call), by: call.caller) { try call.checkIfMatch($0) }
        return NoContent()
    }

    private static func day(_ call: TenantCall) throws -> CapacityHistory.Day {
        CapacityHistory.Day(employee: try call.id("employeeId"), date: try call.date("date"))
    }
}

extension CapacityHistory.Filter: RouteQuery {
    init(_ query: inout QueryParameters) {
        self.init(
            employee: query.identifier("employeeId"), from: query.civilDate("from"), to: query.civilDate("to"),
            updatedSince: query.date("updatedSince"))
        if let from, let to, to < from { query.reject("to", "must not be before from") }
    }
}

/// Asks for all three limits, so that a slip of the pen deletes no whole history.
struct DaysToDelete: RouteQuery {
    let employee: EmployeeID
    let from: CivilDate
    let to: CivilDate

    init(_ query: inout QueryParameters) {
        employee = query.requiredIdentifier("employeeId")
        from = query.requiredCivilDate("from")
        to = query.requiredCivilDate("to")
        if query.isValid, to < from { query.reject("to", "must not be before from") }
    }
}

/// A day is also where a list of days goes on.
extension CapacityHistory.Day: Codable {
    init(from decoder: any Decoder) throws {
        let keys = try PositionKeys(from: decoder, count: 2).keys
        guard let employee = EmployeeID(keys[0]), let date = CivilDate(keys[1]) else {
            throw PositionKeys.mismatch(decoder)
        }
        self.init(employee: employee, date: date)
    }

    func encode(to encoder: any Encoder) throws {
        try PositionKeys([employee.description, date.description]).encode(to: encoder)
    }
}
