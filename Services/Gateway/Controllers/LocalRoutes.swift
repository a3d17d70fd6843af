import Contracts
import Hummingbird
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
    /// Goes through the stages anew for an answer that takes long; throws a ``ProblemError`` when the request would be refused
    /// by now, 503 when that cannot be found out. nil on public routes.
    var recheck: (@Sendable () async throws -> Void)?
}

/// A controller of the gateway: what it answers is known without one, so that a route table can be checked by itself.
protocol LocalController: Sendable {
    static var routes: [(LocalRoutes.Key, @Sendable (Self) -> LocalRoutes.Handler)] { get }
}

/// What the gateway answers itself.
struct LocalRoutes: Sendable {
    typealias Handler = @Sendable (Request, Admission, ServiceRequestContext) async throws -> Response

    struct Key: Hashable, Sendable {
        let method: String
        let template: String

        init(_ method: String, _ template: String) {
            self.method = method
            self.template = template
        }
    }

    private var handlers: [Key: Handler] = [:]

    mutating func add<Controller: LocalController>(_ controller: Controller) {
        for (key, handler) in Controller.routes { handlers[key] = handler(controller) }
    }

    func handler(for match: MatchedRoute) -> Handler? {
        handlers[Key(match.method, match.route.template)]
    }

    /// Where the table and the controllers disagree: a route for the gateway that nothing here answers, or a handler
    /// that no route leads to.
    func disagreements(with routes: [Route]) -> [String] { Self.disagreements(Set(handlers.keys), routes) }

    static func disagreements(_ answered: Set<Key>, _ routes: [Route]) -> [String] {
        var listed: Set<Key> = []
        for route in routes where route.target == .gateway {
            for method in route.methods.keys { listed.insert(Key(method, route.template)) }
        }
        let unanswered = listed.subtracting(answered).map {
            "\($0.method) \($0.template) is not answered by the gateway"
        }
        let unlisted = answered.subtracting(listed).map { "\($0.method) \($0.template) is missing in the table" }
        return (unanswered + unlisted).sorted()
    }
}
