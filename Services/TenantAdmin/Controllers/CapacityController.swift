import Contracts
import HTTPTypes
import Hummingbird
import ServiceKit
import ServiceStorage

/// How much of each employee's day was used.
///
/// | method | path                                            | permission       |
/// | ------ | ----------------------------------------------- | ---------------- |
/// | GET    | `/capacity-history?employeeId=&from=&to=`       | capacity: read   |
/// | POST   | `/capacity-history`                             | capacity: write  |
/// | PUT    | `/capacity-history`                             | capacity: update |
/// | DELETE | `/capacity-history?employeeId=&from=&to=`       | capacity: delete |
/// | GET    | `/capacity-history/{employeeId}/{date}`         | capacity: read   |
/// | PUT    | `/capacity-history/{employeeId}/{date}`         | capacity: update |
/// | DELETE | `/capacity-history/{employeeId}/{date}`         | capacity: delete |
struct CapacityController: Sendable {
    let capacity: CapacityHistory

    func addRoutes(to group: RouterGroup<ServiceRequestContext>) {
        group.get("capacity-history", use: list)
        group.post("capacity-history", use: create)
        group.put("capacity-history", use: write)
        group.delete("capacity-history", use: deleteMany)
        group.get("capacity-history/:employeeId/:date", use: show)
        group.put("capacity-history/:employeeId/:date", use: put)
        group.delete("capacity-history/:employeeId/:date", use: delete)
    }

    @Sendable func list(_ request: Request, _ context: ServiceRequestContext) async throws -> Response {
        let caller = try context.authorise(.read, on: .capacity)
        var query = try QueryParameters(request)
        let page = query.page()
        let filter = CapacityHistory.Filter(
            employee: query.identifier("employeeId"), from: query.civilDate("from"), to: query.civilDate("to"))
        if let from = filter.from, let to = filter.to, to < from { query.reject("to", "must not be before from") }
        try query.finish()
        let last = try page.position(["employee", "date"]) { keys -> CapacityHistory.Day? in
            guard let employee = EmployeeID(keys[0]), let date = CivilDate(keys[1]) else { return nil }
            return CapacityHistory.Day(employee: employee, date: date)
        }
        let found = try await capacity.page(of: caller.tenant, filter: filter, limit: page.limit + 1, after: last)
        return try page.answer(found) { [$0.employeeId.description, $0.date.description] }
    }

    @Sendable func create(_ request: Request, _ context: ServiceRequestContext) async throws -> Response {
        let caller = try context.authorise(.write, on: .capacity)
        try request.rejectQuery()
        let payload = try await request.payload(CreateCapacityRequest.self, context: context)
        let entry = try await capacity.create(
            payload, by: try context.editor(caller), once: try request.idempotencyKey(of: caller, for: payload))
        return try Answer.created(
            entry, location: "/api/v1/capacity-history/\(entry.employeeId)/\(entry.date)",
            headers: [.eTag: try EntityTag(of: entry).headerValue])
    }

    @Sendable func write(_ request: Request, _ context: ServiceRequestContext) async throws -> Response {
        let caller = try context.authorise(.update, on: .capacity)
        try request.rejectQuery()
        let payload = try await request.payload(PutCapacityRequest.self, context: context)
        return try Answer.data(try await capacity.write(payload, by: try context.editor(caller)))
    }

    /// Asks for all three limits: a slip of the pen shall not delete a history.
    @Sendable func deleteMany(_ request: Request, _ context: ServiceRequestContext) async throws -> Response {
        let caller = try context.authorise(.delete, on: .capacity)
        var query = try QueryParameters(request)
        let employee: EmployeeID? = query.identifier("employeeId")
        let (from, to) = (query.civilDate("from"), query.civilDate("to"))
        query.require("employeeId", query.string("employeeId"))
        query.require("from", query.string("from"))
        query.require("to", query.string("to"))
        if let from, let to, to < from { query.reject("to", "must not be before from") }
        try query.finish()
        guard let employee, let from, let to else { throw ProblemError.validation("employeeId", "is missing") }
        let deleted = try await capacity.delete(of: employee, from: from, to: to, by: try context.editor(caller))
        return try Answer.data(CapacityRemoved(deleted: deleted))
    }

    @Sendable func show(_ request: Request, _ context: ServiceRequestContext) async throws -> Response {
        let caller = try context.authorise(.read, on: .capacity)
        try request.rejectQuery()
        let entry = try await capacity.entry(try Self.day(context), of: caller.tenant)
        return try Answer.resource(entry, tag: try EntityTag(of: entry), for: request)
    }

    @Sendable func put(_ request: Request, _ context: ServiceRequestContext) async throws -> Response {
        let caller = try context.authorise(.update, on: .capacity)
        try request.rejectQuery()
        let payload = try await request.payload(PutCapacityDayRequest.self, context: context)
        let (entry, isNew) = try await capacity.put(
            payload, on: try Self.day(context), by: try context.editor(caller)
        ) { try request.checkIfMatch($0) }
        return try Answer.resource(entry, tag: try EntityTag(of: entry), for: request, status: isNew ? .created : .ok)
    }

    @Sendable func delete(_ request: Request, _ context: ServiceRequestContext) async throws -> Response {
        let caller = try context.authorise(.delete, on: .capacity)
        try request.rejectQuery()
        try await capacity.delete(try Self.day(context), by: try context.editor(caller)) {
            try EntityTag(of: $0).checkIfMatch(request)
        }
        return Answer.noContent()
    }

    private static func day(_ context: ServiceRequestContext) throws -> CapacityHistory.Day {
        let employee: EmployeeID = try context.identifier("employeeId")
        guard let date = CivilDate(try context.parameter("date")) else {
            throw ProblemError.validation("date", "must be a date like 2026-01-31")
        }
        return CapacityHistory.Day(employee: employee, date: date)
    }
}
