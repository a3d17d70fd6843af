import HTTPTypes
public import Hummingbird
public import ServiceIdentity

/// Routes that belong together. What they are is known without a controller, so that it can be compared and described.
public protocol Controller: Sendable {
    static func addRoutes(to routes: inout RouteList<Self>)
}

extension Controller {
    static var routes: RouteList<Self> {
        var list = RouteList<Self>()
        addRoutes(to: &list)
        return list
    }

    public static var declaredRoutes: [DeclaredRoute] { routes.entries.map(\.route) }
}

/// Serves a request whose sender is known.
public typealias Endpoint = @Sendable (Request, ServiceRequestContext) async throws -> Response

/// All routes of a service: the router they make, and what was declared.
public final class Routes {
    public let router = Router(context: ServiceRequestContext.self)
    public private(set) var declared: [DeclaredRoute] = []
    private let callers: InternalCallers

    public init(verifier: AssertionVerifier) { callers = InternalCallers(verifier: verifier) }

    /// Each of the controller's routes lets in the services that it lists, and then whom it is for.
    public func add<Member: Controller>(_ controller: Member) {
        for entry in Member.routes.entries {
            declared.append(entry.route)
            let endpoint = entry.endpoint(controller)
            let rule = entry.route.access
            let path = entry.route.path.replacing("{", with: ":").replacing("}", with: "")
            router.on(RouterPath(path), method: .init(entry.route.method)) { [callers] request, context in
                try await endpoint(request, try callers.verified(request, context, rule: rule))
            }
        }
    }
}

/// The routes of one kind of controller.
public struct RouteList<Member: Controller> {
    struct Entry: Sendable {
        let route: DeclaredRoute
        let endpoint: @Sendable (Member) -> Endpoint
    }

    private(set) var entries: [Entry] = []

    public init() {}

    /// The routes with what serves them, for a service that has a line of stages in front of its own.
    public func endpoints(of controller: Member) -> [(route: DeclaredRoute, endpoint: Endpoint)] {
        entries.map { ($0.route, $0.endpoint(controller)) }
    }

    mutating func add(
        _ route: DeclaredRoute,
        _ serve: @escaping @Sendable (Member, Request, ServiceRequestContext) async throws -> Response
    ) {
        entries.append(
            Entry(route: route) { controller in
                { request, context in try await serve(controller, request, context) }
            })
    }
}

extension Controller {
    /// What this controller answers.
    public var endpoints: [(route: DeclaredRoute, endpoint: Endpoint)] { Self.routes.endpoints(of: self) }
}

extension HTTPRequest.Method {
    fileprivate init(_ method: RouteMethod) {
        self =
            switch method {
            case .get: .get
            case .post: .post
            case .put: .put
            case .patch: .patch
            case .delete: .delete
            }
    }
}
