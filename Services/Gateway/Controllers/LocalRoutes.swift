import Contracts
import Hummingbird
import ServiceIdentity
import ServiceKit

/// A request that has passed the stages.
struct Admission: Sendable {
    let match: MatchedRoute
    /// What host name and header say of the tenant; nothing is proved by it.
    let hints: TenantStage.Hints
    /// Known and active; nil where the route is for no tenant.
    let tenant: TenantSummary?
    let origin: TrustedProxies.Origin
    /// nil on public routes.
    var principal: Principal?
    /// What the tenant may still ask; nil where no tenant is charged.
    var left: LimitStage.Left?
    /// Of the principal's credential, by which it is looked up again.
    var digest: [UInt8] = []

    /// The sender as the handler gets it. On a public route the sender is not authenticated, and only the tenant is known.
    var caller: Caller? {
        principal?.caller ?? tenant.map { Caller(issuer: .gateway, tenant: $0.id, subject: nil) }
    }
}

extension Call {
    /// What the stages have found out.
    var admission: Admission {
        get throws {
            guard let admission = context.admission as? Admission else { throw ProblemError.internalError(cause: nil) }
            return admission
        }
    }
}

/// What the gateway answers itself.
struct LocalRoutes: Sendable {
    private struct Key: Hashable {
        let method: String
        let template: String
    }

    private(set) var declared: [DeclaredRoute] = []
    private var endpoints: [Key: Endpoint] = [:]

    mutating func add(_ controller: some Controller) {
        for (route, endpoint) in controller.endpoints {
            declared.append(route)
            endpoints[Key(method: route.method.rawValue, template: route.path)] = endpoint
        }
    }

    func endpoint(for match: MatchedRoute) -> Endpoint? {
        endpoints[Key(method: match.method, template: match.route.template)]
    }

    /// Where the table and the controllers disagree: a route for the gateway that nothing here answers, one that no line
    /// of the table leads to, or one that lets in others.
    static func comparison(_ declared: [DeclaredRoute], _ routes: [Route]) -> [RouteComparison.Disagreement] {
        RouteComparison.compared(
            declared: declared, listed: routes.filter { $0.target == .gateway }.flatMap(\.listed))
    }
}

extension Route {
    /// As a service declares it: one for each method.
    var listed: [ListedRoute] {
        methods.compactMap { method, requirement in
            guard let access = access(requirement) else { return nil }
            return ListedRoute(
                method: method, path: template, access: access,
                takesIdempotencyKey: takesIdempotencyKey && method == "POST")
        }
    }

    /// nil for a tenant's route without a permission, which admits no caller.
    private func access(_ requirement: Requirement?) -> AccessRule? {
        switch scope {
        case .public: needsTenant ? .namedTenant : .anyone
        case .signedIn: .signedIn
        case .platform: .platformOperator
        case .tenant: requirement.map { .permission($0.resource, $0.action) }
        }
    }
}
