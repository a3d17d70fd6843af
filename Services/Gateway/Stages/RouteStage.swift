import Contracts
import HTTPTypes
import ServiceKit

/// A request's route: what stands in the table for its path and method. A class, for it is passed on with the request, and all event loops
/// would count the copies of a route's parts in one place.
final class MatchedRoute: Sendable {
    let route: Route
    /// As in the table: GET for a HEAD, which is a GET whose body is not sent.
    let method: String
    let path: RequestPath
    let parameters: [String: String]

    init(route: Route, method: String, path: RequestPath, parameters: [String: String]) {
        self.route = route
        self.method = method
        self.path = path
        self.parameters = parameters
    }

    var requirement: Route.Requirement? { route.methods[method] ?? nil }
}

/// First stage: finds the route of a path, or refuses: 404 for a path not in the table, 405 for a method not in the route.
struct RouteStage: Sendable {
    private let root: Node

    init(routes: [Route]) { root = Node(routes.map { ($0.segments[...], $0) }) }

    /// - Throws: ``ProblemError``: 400 for a path that is not clean, 404, or 405 with `Allow`.
    func match(method: String, target: String) throws -> MatchedRoute {
        let path = try RequestPath(target: target)
        var parameters: [String: String] = [:]
        let route = try route(of: path, &parameters)
        guard route.allows(method) else {
            let allowed = route.allowedMethods.joined(separator: ", ")
            throw ProblemError(
                status: .methodNotAllowed, code: .methodNotAllowed, "This resource supports only: \(allowed).",
                headers: [.allow: allowed])
        }
        let listed = method == "HEAD" ? "GET" : method
        return MatchedRoute(route: route, method: listed, path: path, parameters: parameters)
    }

    /// The route of a path, whatever its methods.
    ///
    /// - Throws: ``ProblemError``: 400 for a path that is not clean, 404.
    func route(at target: String) throws -> Route {
        var parameters: [String: String] = [:]
        return try route(of: try RequestPath(target: target), &parameters)
    }

    private func route(of path: RequestPath, _ parameters: inout [String: String]) throws -> Route {
        guard let route = root.find(path.segments[...], &parameters) else { throw ProblemError.notFound("Resource") }
        return route
    }

    /// A tree of path segments. A literal is preferred to a parameter, whatever the order in the table.
    private final class Node: Sendable {
        /// A route and what of its path is below a node.
        typealias Below = (rest: ArraySlice<Route.Segment>, route: Route)

        private let literals: [String: Node]
        private let parameters: [(name: String, node: Node)]
        private let route: Route?

        init(_ routes: [Below]) {
            var literals: [String: [Below]] = [:]
            var parameters: [String: [Below]] = [:]
            for (rest, route) in routes {
                switch rest.first {
                case nil: break
                case .literal(let text): literals[text, default: []].append((rest.dropFirst(), route))
                case .parameter(let name): parameters[name, default: []].append((rest.dropFirst(), route))
                }
            }
            self.literals = literals.mapValues { Node($0) }
            self.parameters = parameters.map { ($0.key, Node($0.value)) }
            route = routes.last { $0.rest.isEmpty }?.route
        }

        func find(_ segments: ArraySlice<String>, _ found: inout [String: String]) -> Route? {
            guard let first = segments.first else { return route }
            let rest = segments.dropFirst()
            if let route = literals[first]?.find(rest, &found) { return route }
            for (name, node) in parameters {
                if let route = node.find(rest, &found) {
                    found[name] = first
                    return route
                }
            }
            return nil
        }
    }
}

extension Route {
    /// Whether a request may have this method: one of the table, or HEAD where there is GET. Not for a stream: to know its head, its service
    /// would have to begin it, and an export that nobody reads would stand in the tenant's audit log.
    fileprivate func allows(_ method: String) -> Bool {
        method == "HEAD" ? methods.keys.contains("GET") && !isStreaming : methods.keys.contains(method)
    }

    /// What is allowed, and OPTIONS, which asks for it.
    var allowedMethods: [String] {
        var allowed = Array(methods.keys)
        if allows("HEAD") { allowed.append("HEAD") }
        allowed.append("OPTIONS")
        return allowed.sorted()
    }
}
