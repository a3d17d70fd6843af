import Contracts
import ServiceKit

/// What planners ask of all people at once.
struct ReportsController: Controller {
    let reports: Reports

    static func addRoutes(to routes: inout RouteList<Self>) {
        routes.on(.get, "reports/utilization", "reportUtilization", .may(.read, .reports), use: utilization)
        routes.on(.get, "reports/availability", "reportAvailability", .may(.read, .reports), use: availability)
        routes.on(
            .get, "reports/over-allocations", "reportOverAllocations", .may(.read, .reports), use: overAllocations)
    }

    private func utilization(_ call: TenantCall, _ query: ReportQuery) async throws -> Listed<UtilizationRow> {
        try Listed(try await reports.utilization(query.question, of: call.tenant), query.page) {
            TextPosition($0.employee.externalId)
        }
    }

    private func availability(_ call: TenantCall, _ query: ReportQuery) async throws -> Listed<AvailabilityRow> {
        try Listed(try await reports.availability(query.question, of: call.tenant), query.page) {
            TextPosition($0.employee.externalId)
        }
    }

    private func overAllocations(_ call: TenantCall, _ query: ReportQuery) async throws -> Listed<OverAllocationRow> {
        try Listed(try await reports.overAllocations(query.question, of: call.tenant), query.page) {
            TextPosition($0.employee.externalId)
        }
    }
}

/// A window of days, and whom the report is about.
struct ReportQuery: RouteQuery {
    let page: PageQuery<TextPosition>
    let question: Reports.Question

    init(_ query: inout QueryParameters) {
        page = query.page()
        let (from, to) = (query.requiredCivilDate("from"), query.requiredCivilDate("to"))
        question = Reports.Question(
            from: from, to: to, department: query.string("department"), employee: query.identifier("employeeId"),
            limit: page.readLimit, last: page.after?.key)
        let days = to.daysSinceEpoch - from.daysSinceEpoch + 1
        guard query.isValid else { return }
        if days < 1 { query.reject("to", "must not be before from") }
        if days > Reports.longestWindow {
            query.reject("to", "must be at most \(Reports.longestWindow - 1) days after from")
        }
    }
}
