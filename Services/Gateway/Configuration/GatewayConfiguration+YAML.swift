import Contracts
import HTTPTypes
import ServiceKit
import Yams

extension GatewayConfiguration {
    /// Reads `gateway.yaml`. Unknown keys, missing keys and values without a meaning are refused.
    ///
    /// - Throws: ``RouteFileError``, the first in the file.
    init(yaml: String) throws(RouteFileError) {
        var mistakes = Mistakes()
        guard let configuration = Self.read(yaml, &mistakes) else {
            throw mistakes.sorted.first ?? RouteFileError(line: 1, reason: "the file is empty")
        }
        self = configuration
    }

    /// The same; nil with every mistake collected.
    static func read(_ yaml: String, _ mistakes: inout Mistakes) -> GatewayConfiguration? {
        let root = mistakes.attempt { () throws(RouteFileError) in try compose(yaml) }
        guard let root, var file = mistakes.attempt({ () throws(RouteFileError) in try YAMLMapping(root, "the file") })
        else { return nil }
        let limitsNode = mistakes.attempt { () throws(RouteFileError) in try file.required("limits") }
        let limits = limitsNode.flatMap { Self.limits($0, &mistakes) }
        let upstreams = mistakes.attempt { () throws(RouteFileError) in
            try Self.upstreams(try file.required("upstreams"))
        }
        let routesNode = mistakes.attempt { () throws(RouteFileError) in try file.required("routes") }
        let routes = routesNode.flatMap { Self.routes($0, classes: limits?.classes, &mistakes) }
        let crossOrigin = file.optional("crossOrigin").flatMap { node in
            Self.crossOrigin(node, &mistakes)
        }
        let requestHeaders = file.optional("requestHeaders").flatMap { node in
            Self.requestHeaders(node, &mistakes)
        }
        for error in file.unread { mistakes.add(error) }
        guard mistakes.all.isEmpty, let limits, let upstreams, let routes else { return nil }
        return GatewayConfiguration(
            routes: routes, upstreams: upstreams, plans: limits.plans, address: limits.address,
            userPlans: limits.userPlans, classes: limits.classes,
            inFlight: limits.inFlight, uploads: limits.uploads, requestHeaders: requestHeaders ?? [],
            crossOrigin: crossOrigin)
    }

    private static func compose(_ yaml: String) throws(RouteFileError) -> Node {
        do {
            if let node = try Yams.compose(yaml: yaml) { return node }
        } catch {
            throw RouteFileError(mark(of: error), "not YAML: \(error)")
        }
        throw RouteFileError(line: 1, reason: "the file is empty")
    }

    private static func mark(of error: any Error) -> Mark? {
        guard let error = error as? YamlError else { return nil }
        return switch error {
        case .scanner(_, _, let mark, _), .parser(_, _, let mark, _), .composer(_, _, let mark, _): mark
        case .duplicatedKeysInMapping(_, let context): context.mark
        default: nil
        }
    }

    private struct Limits {
        let plans: [Plan: Allowance]
        let address: Allowance
        let userPlans: [Plan: Allowance]
        let classes: [String: [Plan: Allowance]]
        let inFlight: InFlightLimits
        let uploads: BodyRate
    }

    private static func limits(_ node: Node, _ mistakes: inout Mistakes) -> Limits? {
        guard var limits = mistakes.attempt({ () throws(RouteFileError) in try YAMLMapping(node, "limits") }) else {
            return nil
        }
        let plans = mistakes.attempt { () throws(RouteFileError) in
            try Self.plans(try limits.required("plans"), "plans")
        }
        let userPlans = mistakes.attempt { () throws(RouteFileError) in
            try limits.optional("users").map { node throws(RouteFileError) in try Self.plans(node, "users") } ?? [:]
        }
        let classes = mistakes.attempt { () throws(RouteFileError) in try Self.classes(limits.optional("classes")) }
        let address = mistakes.attempt { () throws(RouteFileError) in
            try Self.allowance(try limits.required("address"), "address")
        }
        let inFlight = mistakes.attempt { () throws(RouteFileError) in
            try Self.inFlight(limits.optional("inFlight"), streams: limits.optional("streams"))
        }
        let uploads = mistakes.attempt { () throws(RouteFileError) in try Self.uploads(limits.optional("uploads")) }
        for error in limits.unread { mistakes.add(error) }
        guard let plans, let userPlans, let classes, let address, let inFlight, let uploads else { return nil }
        return Limits(
            plans: plans, address: address, userPlans: userPlans, classes: classes, inFlight: inFlight,
            uploads: uploads)
    }

    private static func crossOrigin(_ node: Node, _ mistakes: inout Mistakes) -> CrossOrigin? {
        guard var mapping = mistakes.attempt({ () throws(RouteFileError) in try YAMLMapping(node, "crossOrigin") })
        else { return nil }
        let list = mistakes.attempt { () throws(RouteFileError) in
            try mapping.list("origins", like: "[\"https://app.example\"]")
        }
        let origins = (list ?? []).compactMap { node in
            mistakes.attempt { () throws(RouteFileError) in try origin(node) }
        }
        let age = mistakes.attempt { () throws(RouteFileError) in
            try mapping.duration("maximumAge", default: .seconds(600))
        }
        for error in mapping.unread { mistakes.add(error) }
        return age.map { CrossOrigin(origins: Set(origins), maximumAge: $0) }
    }

    /// As browsers send it: in lower case, without the port that the scheme has anyway.
    private static func origin(_ node: Node) throws(RouteFileError) -> String {
        let origin = try YAMLMapping.text(node, "origins")
        if origin == "*" { return origin }
        let usualPorts = ["http://": ":80", "https://": ":443"]
        for (scheme, port) in usualPorts where origin.hasPrefix(scheme) {
            let authority = String(origin.dropFirst(scheme.count))
            if HostField.isValid(authority), !authority.hasSuffix(port), !authority.hasSuffix(":"),
                authority == authority.lowercased()
            {
                return origin
            }
        }
        throw RouteFileError(node, "\"\(origin)\" is not an origin like https://app.example, as browsers send it")
    }

    private static func requestHeaders(_ list: Node, _ mistakes: inout Mistakes) -> Set<String>? {
        let nodes = mistakes.attempt { () throws(RouteFileError) in
            try YAMLMapping.list(list, "requestHeaders", like: "[X-Feature]")
        }
        let names = nodes?.compactMap { node in
            mistakes.attempt { () throws(RouteFileError) -> String in
                let name = try YAMLMapping.text(node, "requestHeaders")
                guard let field = HTTPField.Name(name) else {
                    throw RouteFileError(node, "\"\(name)\" is not the name of a field")
                }
                guard !RewriteStage.isOwn(field.canonicalName) else {
                    throw RouteFileError(node, "\"\(name)\" is set by the gateway and never taken from outside")
                }
                return field.canonicalName
            }
        }
        return names.map { Set($0) }
    }

    private static func classes(_ node: Node?) throws(RouteFileError) -> [String: [Plan: Allowance]] {
        guard let node else { return [:] }
        var classes: [String: [Plan: Allowance]] = [:]
        for entry in try YAMLMapping(node, "classes").all {
            guard !entry.key.isEmpty, !entry.key.contains(":") else {
                throw RouteFileError(entry.mark, "a class needs a name without colons")
            }
            classes[entry.key] = try plans(entry.value, entry.key)
        }
        return classes
    }

    private static func plans(_ node: Node, _ what: String) throws(RouteFileError) -> [Plan: Allowance] {
        var mapping = try YAMLMapping(node, what)
        var plans: [Plan: Allowance] = [:]
        for plan in Plan.allCases {
            plans[plan] = try allowance(try mapping.required(plan.rawValue), plan.rawValue)
        }
        try mapping.finish()
        return plans
    }

    private static func allowance(_ node: Node, _ what: String) throws(RouteFileError) -> Allowance {
        var mapping = try YAMLMapping(node, what)
        // A bucket that never holds a whole request refuses every one.
        let allowance = Allowance(
            perSecond: try mapping.number("perSecond", 0.001...1_000_000, "from 0.001 to 1000000"),
            burst: try mapping.number("burst", 1...1_000_000_000, "from 1 to 1000000000"))
        try mapping.finish()
        return allowance
    }

    private static func inFlight(_ node: Node?, streams: Node?) throws(RouteFileError) -> InFlightLimits {
        var limits = InFlightLimits.standard
        if let node {
            var mapping = try YAMLMapping(node, "inFlight")
            limits.node = try mapping.count("node")
            limits.brief = try holders(&mapping)
        }
        if let streams {
            var mapping = try YAMLMapping(streams, "streams")
            limits.streams = try holders(&mapping)
        }
        return limits
    }

    private static func holders(_ mapping: inout YAMLMapping) throws(RouteFileError) -> InFlight.Limits {
        let limits = InFlight.Limits(
            tenant: try mapping.count("tenant"), user: try mapping.count("user"), address: try mapping.count("address"))
        try mapping.finish()
        return limits
    }

    private static func uploads(_ node: Node?) throws(RouteFileError) -> BodyRate {
        guard let node else { return .standard }
        var mapping = try YAMLMapping(node, "uploads")
        let rate = BodyRate(
            bytesPerSecond: try mapping.count("bytesPerSecond"), grace: try mapping.duration("grace"))
        try mapping.finish()
        return rate
    }

    private static func upstreams(_ node: Node) throws(RouteFileError) -> [ServiceName: Health] {
        var upstreams: [ServiceName: Health] = [:]
        for entry in try YAMLMapping(node, "upstreams").all {
            guard let service = ServiceName(rawValue: entry.key), service != .gateway else {
                throw RouteFileError(entry.mark, "\"\(entry.key)\" is not a service behind the gateway")
            }
            var mapping = try YAMLMapping(entry.value, entry.key)
            let failuresToOpen = try mapping.count("failuresToOpen")
            let standard = Health(failuresToOpen: failuresToOpen, openFor: try mapping.duration("openFor"))
            upstreams[service] = Health(
                failuresToOpen: failuresToOpen, openFor: standard.openFor,
                slowStart: try mapping.duration("slowStart", default: standard.slowStart),
                drainFor: try mapping.duration("drainFor", default: standard.drainFor))
            try mapping.finish()
        }
        return upstreams
    }

    /// - Parameter classes: those there are; nil: not known, since something is wrong with them.
    private static func routes(
        _ node: Node, classes: [String: [Plan: Allowance]]?, _ mistakes: inout Mistakes
    ) -> [Route]? {
        guard case .sequence(let nodes) = node else {
            mistakes.add(RouteFileError(node, "\"routes\" must be a list"))
            return nil
        }
        var routes: [Route] = []
        var lines: [[Route.Segment]: Int] = [:]
        for node in nodes {
            guard let route = Route(node, &mistakes) else { continue }
            if let name = route.limitClass, let classes, classes[name] == nil {
                mistakes.add(RouteFileError(node, "\"\(name)\" is not one of the classes of limits"))
            }
            // Two templates that differ only in a parameter's name are one path.
            let shape = route.segments.map { if case .parameter = $0 { .parameter("") } else { $0 } as Route.Segment }
            if let line = lines.updateValue(node.mark?.line ?? 1, forKey: shape) {
                mistakes.add(RouteFileError(node, "\(route.template) stands in the table already, at line \(line)"))
            }
            routes.append(route)
        }
        return routes
    }
}
