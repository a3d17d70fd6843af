import Contracts
import Yams

extension GatewayConfiguration {
    /// Reads `gateway.yaml`. Unknown keys, missing keys and values without a meaning are refused.
    ///
    /// - Throws: ``RouteFileError`` with the line.
    init(yaml: String) throws(RouteFileError) {
        let root: Node
        do {
            guard let node = try Yams.compose(yaml: yaml) else {
                throw RouteFileError(line: 1, reason: "the file is empty")
            }
            root = node
        } catch let error as RouteFileError {
            throw error
        } catch {
            throw RouteFileError(line: Self.line(of: error), reason: "not YAML: \(error)")
        }
        var file = try YAMLMapping(root, "the file")
        var limits = try YAMLMapping(try file.required("limits"), "limits")
        plans = try Self.plans(try limits.required("plans"))
        address = try Self.allowance(try limits.required("address"), "address")
        try limits.finish()
        upstreams = try Self.upstreams(try file.required("upstreams"))
        routes = try Self.routes(try file.required("routes"))
        try file.finish()
    }

    private static func line(of error: any Error) -> Int {
        guard let error = error as? YamlError else { return 1 }
        return switch error {
        case .scanner(_, _, let mark, _), .parser(_, _, let mark, _), .composer(_, _, let mark, _): mark.line
        case .duplicatedKeysInMapping(_, let context): context.mark.line
        default: 1
        }
    }

    private static func plans(_ node: Node) throws(RouteFileError) -> [Plan: Allowance] {
        var mapping = try YAMLMapping(node, "plans")
        var plans: [Plan: Allowance] = [:]
        for plan in Plan.allCases {
            plans[plan] = try allowance(try mapping.required(plan.rawValue), plan.rawValue)
        }
        try mapping.finish()
        return plans
    }

    private static func allowance(_ node: Node, _ what: String) throws(RouteFileError) -> Allowance {
        var mapping = try YAMLMapping(node, what)
        let allowance = Allowance(
            perSecond: try mapping.positiveNumber("perSecond"), burst: try mapping.positiveNumber("burst"))
        try mapping.finish()
        // A bucket that never holds a whole request refuses every one.
        guard allowance.burst >= 1 else { throw RouteFileError(node, "\"burst\" must be at least 1") }
        return allowance
    }

    private static func upstreams(_ node: Node) throws(RouteFileError) -> [ServiceName: Health] {
        var upstreams: [ServiceName: Health] = [:]
        for entry in try YAMLMapping(node, "upstreams").all {
            guard let service = ServiceName(rawValue: entry.key), service != .gateway else {
                throw RouteFileError(line: entry.line, reason: "\"\(entry.key)\" is not a service behind the gateway")
            }
            var mapping = try YAMLMapping(entry.value, entry.key)
            let failures = try mapping.positiveNumber("failuresToOpen")
            guard failures <= 1_000, let failuresToOpen = Int(exactly: failures) else {
                throw RouteFileError(entry.value, "\"failuresToOpen\" must be a whole number up to 1000")
            }
            upstreams[service] = Health(failuresToOpen: failuresToOpen, openFor: try mapping.duration("openFor"))
            try mapping.finish()
        }
        return upstreams
    }

    private static func routes(_ node: Node) throws(RouteFileError) -> [Route] {
        guard case .sequence(let nodes) = node else { throw RouteFileError(node, "\"routes\" must be a list") }
        var routes: [Route] = []
        var lines: [[Route.Segment]: Int] = [:]
        for node in nodes {
            let route = try Route(node)
            // Two templates that differ only in a parameter's name are one path.
            let shape = route.segments.map { if case .parameter = $0 { .parameter("") } else { $0 } as Route.Segment }
            if let line = lines.updateValue(node.mark?.line ?? 1, forKey: shape) {
                throw RouteFileError(node, "\(route.template) stands in the table already, at line \(line)")
            }
            routes.append(route)
        }
        return routes
    }
}
