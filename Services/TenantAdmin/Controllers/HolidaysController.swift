import Contracts
import ServiceKit
import ServiceStorage

/// The holidays of a calendar.
struct HolidaysController: Controller {
    let holidays: Holidays

    static func addRoutes(to routes: inout RouteList<Self>) {
        let (all, one): (RoutePath, RoutePath) = (
            "calendars/{id}/holidays", "calendars/{id}/holidays/\(date: "date")"
        )
        routes.on(.get, all, "listHolidays", .may(.read, .calendars), use: list)
        routes.on(
            .post, all, "createHoliday", .may(.update, .calendars), takes: [.idempotencyKey], fails: [.conflict],
            use: create)
        routes.on(.get, one, "getHoliday", .may(.read, .calendars), use: show)
        routes.on(.put, one, "putHoliday", .may(.update, .calendars), takes: [.ifMatch], use: put)
        routes.on(.delete, one, "deleteHoliday", .may(.update, .calendars), takes: [.ifMatch], use: delete)
    }

    private func list(
        _ call: TenantCall, _ query: ListQuery<Holidays.Filter, CivilDate>
    ) async throws -> Listed<CalendarHoliday> {
        let found = try await holidays.page(
            of: try call.id("id"), in: call.tenant, filter: query.filter, limit: query.page.readLimit,
            after: query.page.after)
        return try Listed(found, query.page) { $0.date }
    }

    private func create(_ call: TenantCall, _ payload: CalendarHoliday) async throws -> Created<CalendarHoliday> {
        let calendar: CalendarID = try call.id("id")
        let made = try await holidays.create(
            payload, of: calendar, by: call.caller, once: try call.idempotencyKey(for: payload))
        return try Created(made, at: "calendars/\(calendar)/holidays/\(made.date)")
    }

    private func show(_ call: TenantCall) async throws -> Tagged<CalendarHoliday> {
        try Tagged(try await holidays.holiday(on: try call.date("date"), of: try call.id("id"), in: call.tenant))
    }

    private func put(_ call: TenantCall, _ payload: PutHolidayRequest) async throws -> Stored<CalendarHoliday> {
        let (holiday, isNew) = try await holidays.put(
            payload, on: try call.date("date"), of: try call.id("id"), by: call.caller
        ) { try call.checkIfMatch($0) }
        return Stored(holiday, isNew: isNew)
    }

    private func delete(_ call: TenantCall) async throws -> NoContent {
        try await holidays.delete(on: try call.date("date"), of: try call.id("id"), by: call.caller) {
            try call.checkIfMatch($0)
        }
        return NoContent()
    }
}

extension Holidays.Filter: RouteQuery {
    init(_ query: inout QueryParameters) {
        self.init(from: query.civilDate("from"), to: query.civilDate("to"))
        if let from, let to, to < from { query.reject("to", "must not be before from") }
    }
}
