import Contracts
import Foundation
import ServiceKit

/// How much of the platform a tenant uses.
struct UsageController: Controller {
    let usage: Usage

    static func addRoutes(to routes: inout RouteList<Self>) {
        routes.on(.get, "usage", "getUsage", .may(.read, .usage), use: own)
        routes.on(.get, "tenants/{id}/usage", "getTenantUsage", .platformOperator, use: ofTenant)
    }

    private func own(_ call: TenantCall, _ window: UsageWindow) async throws -> OK<TenantUsage> {
        OK(try await usage.usage(of: call.tenant, from: window.from, to: window.to, for: .tenant))
    }

    private func ofTenant(_ call: OperatorCall, _ window: UsageWindow) async throws -> OK<TenantUsage> {
        OK(try await usage.usage(of: try call.id("id"), from: window.from, to: window.to, for: .platformOperator))
    }
}

/// The last thirty days, unless others are asked for.
struct UsageWindow: RouteQuery {
    let from: CivilDate
    let to: CivilDate

    init(_ query: inout QueryParameters) {
        to = query.civilDate("to") ?? CivilDate(Date())
        from = query.civilDate("from") ?? to.adding(days: -29)
        if to < from { query.reject("to", "must not be before from") }
        if to.daysSinceEpoch - from.daysSinceEpoch > 365 { query.reject("from", "must be at most 365 days before to") }
    }
}
