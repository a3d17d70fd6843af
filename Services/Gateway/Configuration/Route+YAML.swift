import Contracts
import Yams

extension Route {
    /// One entry under `routes:`.
    init(_ node: Node) throws(RouteFileError) {
        var mapping = try YAMLMapping(node, "a route")
        let pathNode = try mapping.required("path")
        template = try YAMLMapping.text(pathNode, "path")
        guard let segments = Self.segments(of: template) else {
            throw RouteFileError(pathNode, "\"path\" must be a template like /api/v1/projects/{id}")
        }
        self.segments = segments

        let upstreamNode = try mapping.required("upstream")
        guard let service = ServiceName(rawValue: try YAMLMapping.text(upstreamNode, "upstream")) else {
            throw RouteFileError(upstreamNode, "\"upstream\" must be one of \(Self.list(ServiceName.allCases))")
        }
        target = service == .gateway ? .gateway : .upstream(service)

        let scopeNode = try mapping.required("scope")
        guard let scope = Scope(rawValue: try YAMLMapping.text(scopeNode, "scope")) else {
            throw RouteFileError(scopeNode, "\"scope\" must be one of \(Self.list(Scope.allCases))")
        }
        self.scope = scope
        methods = try Self.methods(try mapping.required("methods"), scope)
        needsTenant = try mapping.flag("needsTenant")
        limitsAddress = try mapping.flag("limitsAddress")
        bodyLimitBytes = try mapping.bytes("bodyLimit", default: 1 << 20)
        timeout = try mapping.duration("timeout", default: .seconds(30))
        isStreaming = try mapping.flag("streaming")
        try mapping.finish()
        guard !needsTenant || scope == .public else {
            throw RouteFileError(node, "\"needsTenant\" is for public routes; \(scope.rawValue) routes imply it or not")
        }
    }

    private static func methods(
        _ node: Node, _ scope: Scope
    ) throws(RouteFileError) -> [String: Requirement?] {
        let known: Set<String> = ["GET", "POST", "PUT", "PATCH", "DELETE"]
        var methods: [String: Requirement?] = [:]
        for entry in try YAMLMapping(node, "methods").all {
            guard known.contains(entry.key) else {
                throw RouteFileError(line: entry.line, reason: "\"\(entry.key)\" is not one of \(known.sorted())")
            }
            methods.updateValue(try requirement(entry.value, scope), forKey: entry.key)
        }
        guard !methods.isEmpty else { throw RouteFileError(node, "a route needs at least one method") }
        return methods
    }

    /// `employees:read`, or `none` where the scope alone decides. A tenant's route without a permission would be open to
    /// every role, so it is refused here rather than noticed later.
    private static func requirement(_ node: Node, _ scope: Scope) throws(RouteFileError) -> Requirement? {
        let text = try YAMLMapping.text(node, "methods")
        guard scope == .tenant else {
            guard text == "none" else {
                throw RouteFileError(node, "the permission of a \(scope.rawValue) route must be none")
            }
            return nil
        }
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2, Resource.all.contains(String(parts[0])), Action.all.contains(String(parts[1])) else {
            throw RouteFileError(node, "\"\(text)\" is not a permission like employees:read")
        }
        return Requirement(resource: Resource(rawValue: String(parts[0])), action: Action(rawValue: String(parts[1])))
    }

    private static func list<Name: RawRepresentable<String>>(_ names: [Name]) -> String {
        names.map(\.rawValue).joined(separator: ", ")
    }
}

extension Resource {
    /// What a tenant's route may ask a permission for; tenants themselves are the platform operator's.
    fileprivate static let all: Set<String> = Set(
        [
            users, roles, settings, audit, usage, apiKeys, departments, skills, employees, projects, allocations,
            capacity,
            imports, reports, ml, ownAccount,
        ].map(\.rawValue))
}

extension Action {
    fileprivate static let all: Set<String> = Set(
        [read, write, update, delete, predict, feedback, train, deploy].map(\.rawValue))
}
