import Basics
public import Contracts
import Foundation
public import ServiceKit
import Yams

/// The gateway's route table as a service's tests compare it with what the service declares.
public struct GatewayTable {
    private let routes: [[String: Any]]

    public init(_ text: String) throws {
        let document = try Yams.load(yaml: text) as? [String: Any]
        guard let routes = document?["routes"] as? [[String: Any]] else { throw NoRoutes() }
        self.routes = routes
    }

    public struct NoRoutes: Error {}

    /// As it is in the repository.
    public static func text() throws -> String {
        try String(
            contentsOf: ServiceDatabases.repository.appendingPathComponent("gateway-config/gateway.yaml"),
            encoding: .utf8)
    }

    /// Where the table and what `service` declares disagree.
    public static func disagreements(of service: ServiceName, _ declared: [DeclaredRoute]) throws -> [String] {
        try GatewayTable(text()).disagreements(of: service, declared)
    }

    /// Faults planted in the table or in the declarations that the comparison does not notice: none, if it is worth
    /// anything.
    public static func unnoticedFaults(of service: ServiceName, _ declared: [DeclaredRoute]) throws -> [String] {
        let table = try GatewayTable(text())
        let listed = table.listed(of: service)
        guard let first = listed.first, let open = declared.first(where: { !$0.access.isInternal }) else {
            return ["there is nothing to compare"]
        }
        let other = AccessRule.permission(.ownAccount, .deploy)
        let faults: [(String, [DeclaredRoute], [ListedRoute])] = [
            ("a line is missing", declared, Array(listed.dropFirst())),
            (
                "a line too many", declared,
                listed + [ListedRoute(method: "GET", path: "/api/v1/nowhere", access: first.access)]
            ),
            (
                "another permission", declared,
                [ListedRoute(method: first.method, path: first.path, access: other)] + listed.dropFirst()
            ),
            (
                "another rule for sending again", declared,
                [
                    ListedRoute(
                        method: first.method, path: first.path, access: first.access,
                        takesIdempotencyKey: !first.takesIdempotencyKey)
                ] + listed.dropFirst()
            ),
            (
                "another method", declared,
                [ListedRoute(method: "TRACE", path: first.path, access: first.access)] + listed.dropFirst()
            ),
            ("a route is not declared", declared.filter { $0.title != open.title }, listed),
            ("a route is declared twice", declared + [open], listed),
            ("a line is there twice", declared, listed + [first]),
        ]
        return faults.filter { RouteComparison.compared(declared: $0.1, listed: $0.2).isEmpty }.map(\.0)
    }

    /// The longest that the gateway waits for a request's whole answer from one of the services.
    public static func longestExchange(with services: Set<ServiceName>) throws -> Duration {
        let table = try GatewayTable(text())
        return table.routes.filter { route in
            services.contains { $0.rawValue == route["upstream"] as? String } && route["streaming"] as? Bool != true
        }.compactMap { ($0["timeout"] as? String).flatMap(DurationText.duration) }.max() ?? .zero
    }

    func disagreements(of service: ServiceName, _ declared: [DeclaredRoute]) -> [String] {
        RouteComparison.compared(declared: declared, listed: listed(of: service)).map(\.sentence)
    }

    func listed(of service: ServiceName) -> [ListedRoute] {
        routes.filter { $0["upstream"] as? String == service.rawValue }.flatMap { route -> [ListedRoute] in
            let methods = route["methods"] as? [String: String] ?? [:]
            return methods.map { method, permission in
                // A line that cannot be read agrees with no declaration.
                ListedRoute(
                    method: method, path: route["path"] as? String ?? "a route without a path",
                    access: Self.access(route, permission) ?? .services([]),
                    takesIdempotencyKey: method == "POST" && route["idempotencyKey"] as? Bool == true)
            }
        }
    }

    private static func access(_ route: [String: Any], _ permission: String) -> AccessRule? {
        switch route["scope"] as? String {
        case "public": return route["needsTenant"] as? Bool == true ? .namedTenant : .anyone
        case "signed-in": return .signedIn
        case "platform": return .platformOperator
        default:
            let parts = permission.split(separator: ":").map(String.init)
            guard parts.count == 2, let resource = Resource(rawValue: parts[0]), let action = Action(rawValue: parts[1])
            else { return nil }
            return .permission(resource, action)
        }
    }
}

/// What is wrong with a service's part of the API's description.
public enum APIDescriptionFaults {
    /// One sentence for each type that cannot be described, operation id that is there twice, and request without an
    /// example that its own type accepts.
    public static func of(_ declared: [DeclaredRoute]) -> [String] {
        let part: JSONValue
        do { part = try OpenAPIDocument.part(declared) } catch { return ["\(error)"] }
        guard case .object(let paths)? = part["paths"] else { return ["there are no paths"] }
        var faults: [String] = []
        var names: Set<String> = []
        for (path, item) in paths {
            guard case .object(let operations) = item else { continue }
            for (method, operation) in operations {
                let name = operation["operationId"]?.stringValue ?? ""
                if !names.insert(name).inserted { faults.append("\(name) is there twice") }
                if let body = operation["requestBody"]?["content"]?["application/json"], body["example"] == nil {
                    faults.append("\(method) \(path) has no example")
                }
            }
        }
        return faults.sorted()
    }
}
