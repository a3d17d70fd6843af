import Contracts
import Yams

extension Route {
    /// What a route may name, as far as the file could be read; nil: that is not known.
    struct Named {
        let classes: Set<String>?
        let upstreams: Set<ServiceName>?
    }

    /// One entry under `routes:`; nil when something is wrong with it.
    init?(_ node: Node, _ named: Named, _ mistakes: inout Mistakes) {
        let before = mistakes.all.count
        guard var mapping = mistakes.attempt({ () throws(RouteFileError) in try YAMLMapping(node, "a route") }) else {
            return nil
        }
        let path = mistakes.attempt { () throws(RouteFileError) in try Self.path(try mapping.required("path")) }
        let target = mistakes.attempt { () throws(RouteFileError) in
            try Self.target(try mapping.required("upstream"), named)
        }
        let scope = mistakes.attempt { () throws(RouteFileError) in try Self.scope(try mapping.required("scope")) }
        let methodsNode = mistakes.attempt { () throws(RouteFileError) in try mapping.required("methods") }
        // Which permissions there may be depends on the scope.
        let methods = methodsNode.flatMap { node in scope.flatMap { Self.methods(node, $0, &mistakes) } }
        let needsTenant = mistakes.attempt { () throws(RouteFileError) in try mapping.flag("needsTenant") }
        let limitsAddress = mistakes.attempt { () throws(RouteFileError) in try mapping.flag("limitsAddress") }
        let bodyLimit = mistakes.attempt { () throws(RouteFileError) in
            try mapping.bytes("bodyLimit", default: 1 << 20)
        }
        let timeout = mistakes.attempt { () throws(RouteFileError) in
            try mapping.duration("timeout", default: .seconds(30))
        }
        let isStreaming = mistakes.attempt { () throws(RouteFileError) in try mapping.flag("streaming") }
        let takesKey = mistakes.attempt { () throws(RouteFileError) in try mapping.flag("idempotencyKey") }
        let limitClass = mistakes.attempt { () throws(RouteFileError) in
            try mapping.optional("class").map { node throws(RouteFileError) in try Self.limitClass(node, named) }
        }
        for error in mapping.unread { mistakes.add(error) }
        if let scope, needsTenant == true, scope != .public {
            mistakes.add(
                RouteFileError(
                    node, "\"needsTenant\" is for public routes; \(scope.rawValue) routes imply it or not"))
        }
        if limitClass != .some(nil), let scope, scope == .public || scope == .platform {
            mistakes.add(RouteFileError(node, "\"class\" is for routes of tenants; \(scope.rawValue) routes have none"))
        }
        guard mistakes.all.count == before, let path, let target, let scope, let methods, let needsTenant,
            let limitsAddress, let bodyLimit, let timeout, let isStreaming, let takesKey, let limitClass
        else { return nil }
        template = path.template
        segments = path.segments
        self.target = target
        self.scope = scope
        self.methods = methods
        self.needsTenant = needsTenant
        self.limitsAddress = limitsAddress
        bodyLimitBytes = bodyLimit
        self.timeout = timeout
        self.isStreaming = isStreaming
        takesIdempotencyKey = takesKey
        self.limitClass = limitClass
    }

    private static func path(
        _ node: Node
    ) throws(RouteFileError) -> (template: String, segments: [Segment]) {
        let template = try YAMLMapping.text(node, "path")
        guard let segments = segments(of: template) else {
            throw RouteFileError(node, "\"path\" must be a template like /api/v1/projects/{id}")
        }
        return (template, segments)
    }

    private static func target(_ node: Node, _ named: Named) throws(RouteFileError) -> Target {
        guard let service = ServiceName(rawValue: try YAMLMapping.text(node, "upstream")) else {
            throw RouteFileError(node, "\"upstream\" must be one of \(list(ServiceName.allCases))")
        }
        if service == .gateway { return .gateway }
        guard named.upstreams?.contains(service) ?? true else {
            throw RouteFileError(node, "\"\(service.rawValue)\" is not listed under upstreams")
        }
        return .upstream(service)
    }

    private static func limitClass(_ node: Node, _ named: Named) throws(RouteFileError) -> String {
        let name = try YAMLMapping.text(node, "class")
        guard named.classes?.contains(name) ?? true else {
            throw RouteFileError(node, "\"\(name)\" is not one of the classes of limits")
        }
        return name
    }

    private static func scope(_ node: Node) throws(RouteFileError) -> Scope {
        guard let scope = Scope(rawValue: try YAMLMapping.text(node, "scope")) else {
            throw RouteFileError(node, "\"scope\" must be one of \(list(Scope.allCases))")
        }
        return scope
    }

    private static func methods(_ node: Node, _ scope: Scope, _ mistakes: inout Mistakes) -> [String: Requirement?]? {
        let known: Set<String> = ["GET", "POST", "PUT", "PATCH", "DELETE"]
        guard
            let entries = mistakes.attempt({ () throws(RouteFileError) in try YAMLMapping(node, "methods") })?.all
        else { return nil }
        var methods: [String: Requirement?] = [:]
        for entry in entries {
            guard known.contains(entry.key) else {
                mistakes.add(RouteFileError(entry.mark, "\"\(entry.key)\" is not one of \(known.sorted())"))
                continue
            }
            if let requirement = mistakes.attempt({ () throws(RouteFileError) in try requirement(entry.value, scope) })
            {
                methods.updateValue(requirement, forKey: entry.key)
            }
        }
        if entries.isEmpty { mistakes.add(RouteFileError(node, "a route needs at least one method")) }
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
        // Tenants themselves are the platform operator's.
        guard parts.count == 2, let resource = Resource(rawValue: String(parts[0])), resource != .tenants,
            let action = Action(rawValue: String(parts[1]))
        else { throw RouteFileError(node, "\"\(text)\" is not a permission like employees:read") }
        return Requirement(resource: resource, action: action)
    }

    private static func list<Name: RawRepresentable<String>>(_ names: [Name]) -> String {
        names.map(\.rawValue).joined(separator: ", ")
    }
}
