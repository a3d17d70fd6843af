import Contracts
import Ledger
import ServiceKit

/// What planners ask of all people at once. `format=csv` or `Accept: text/csv` gives the whole report as one file.
struct ReportsController: Controller {
    let reports: Reports

    static func addRoutes(to routes: inout RouteList<Self>) {
        routes.on(.get, "reports/utilization", "reportUtilization", .may(.read, .reports), use: utilization)
        routes.on(.get, "reports/availability", "reportAvailability", .may(.read, .reports), use: availability)
        routes.on(
            .get, "reports/over-allocations", "reportOverAllocations", .may(.read, .reports), use: overAllocations)
        routes.on(.get, "reports/orphans", "reportOrphans", .may(.read, .reports), use: orphans)
    }

    private func utilization(_ call: TenantCall, _ query: UtilizationQuery) async throws -> Report<UtilizationRow> {
        let (reports, tenant, group, period) = (reports, call.tenant, query.group, query.period)
        return try await Report(
            query.report, call.request, .utilization(group, query.report.window), position: { $0.position }
        ) { try await reports.utilization($0, by: group, period, of: tenant) }
    }

    private func availability(_ call: TenantCall, _ query: PeriodQuery) async throws -> Report<AvailabilityRow> {
        let (reports, tenant, period) = (reports, call.tenant, query.period)
        return try await Report(
            query.report, call.request, .availability(query.report.window), position: { $0.employee.externalId }
        ) { try await reports.availability($0, period, of: tenant) }
    }

    private func overAllocations(_ call: TenantCall, _ query: ReportQuery) async throws -> Report<OverAllocationRow> {
        let (reports, tenant) = (reports, call.tenant)
        return try await Report(query, call.request, .overAllocations, position: { $0.employee.externalId }) {
            try await reports.overAllocations($0, of: tenant)
        }
    }

    private func orphans(_ call: TenantCall, _ query: ReportQuery) async throws -> Report<OrphanRow> {
        let (reports, tenant) = (reports, call.tenant)
        return try await Report(query, call.request, .orphans, position: { $0.employee.externalId }) {
            try await reports.orphans($0, of: tenant)
        }
    }
}

/// A window of days, and whom the report is about.
struct ReportQuery: RouteQuery {
    enum Format: String, CaseIterable, Sendable { case json, csv }

    let page: PageQuery<TextPosition>
    let window: DayWindow
    let people: PeopleFilter
    let format: Format?

    init(_ query: inout QueryParameters) {
        page = query.page()
        let (from, to) = (query.requiredCivilDate("from"), query.requiredCivilDate("to"))
        window = DayWindow(from, to)
        let areDays = query.isValid
        people = PeopleFilter(department: query.string("department"), employees: query.identifiers("employeeId"))
        format = query.choice("format")
        let days = to.daysSinceEpoch - from.daysSinceEpoch + 1
        guard areDays else { return }
        if days < 1 { query.reject("to", "must not be before from") }
        if days > Reports.longestWindow {
            query.reject("to", "must be at most \(Reports.longestWindow - 1) days after from")
        }
    }

    /// - Parameter limit: rows at most.
    func question(limit: Int) -> Reports.Question {
        Reports.Question(window: window, people: people, limit: limit, last: page.after?.key)
    }
}

/// A report whose rows may be cut into periods.
struct PeriodQuery: RouteQuery {
    let report: ReportQuery
    let period: ReportPeriod

    init(_ query: inout QueryParameters) {
        report = ReportQuery(&query)
        period = query.choice("period", default: .total)
    }
}

struct UtilizationQuery: RouteQuery {
    let report: ReportQuery
    let group: UtilizationGroup
    let period: ReportPeriod

    init(_ query: inout QueryParameters) {
        report = ReportQuery(&query)
        group = query.choice("groupBy", default: .person)
        period = query.choice("period", default: .total)
    }
}
