import Contracts
import Hummingbird
import ServiceKit

/// What planners ask of all people at once.
///
/// | method | path                                                               | permission    |
/// | ------ | ------------------------------------------------------------------ | ------------- |
/// | GET    | `/reports/utilization?from=&to=&department=&employeeId=`            | reports: read |
/// | GET    | `/reports/availability?from=&to=&department=&employeeId=`           | reports: read |
/// | GET    | `/reports/over-allocations?from=&to=&department=&employeeId=`       | reports: read |
struct ReportsController: Sendable {
    let reports: Reports

    func addRoutes(to group: RouterGroup<ServiceRequestContext>) {
        group.get("reports/utilization") { request, context in
            try await answer(request, context, reports.utilization) { $0.employee.externalId }
        }
        group.get("reports/availability") { request, context in
            try await answer(request, context, reports.availability) { $0.employee.externalId }
        }
        group.get("reports/over-allocations") { request, context in
            try await answer(request, context, reports.overAllocations) { $0.employee.externalId }
        }
    }

    private func answer<Row: Codable & Sendable>(
        _ request: Request, _ context: ServiceRequestContext,
        _ report: (Reports.Question, TenantID) async throws -> [Row], _ position: (Row) -> String
    ) async throws -> Response {
        let caller = try context.authorise(.read, on: .reports)
        var query = try QueryParameters(request)
        let page = query.page()
        let (from, to) = (query.civilDate("from"), query.civilDate("to"))
        query.require("from", query.string("from"))
        query.require("to", query.string("to"))
        let (department, employee) = (query.string("department"), query.identifier("employeeId", as: EmployeeID.self))
        if let from, let to {
            let days = to.daysSinceEpoch - from.daysSinceEpoch + 1
            if days < 1 { query.reject("to", "must not be before from") }
            if days > Reports.longestWindow {
                query.reject("to", "must be at most \(Reports.longestWindow - 1) days after from")
            }
        }
        try query.finish()
        guard let from, let to else { throw ProblemError.validation("from", "is missing") }
        let question = Reports.Question(
            from: from, to: to, department: department, employee: employee, limit: page.limit + 1,
            last: try page.position())
        return try page.answer(try await report(question, caller.tenant)) { [position($0)] }
    }
}
