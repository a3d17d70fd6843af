import Contracts
import HTTPTypes
import ServiceKit
import Yams

extension GatewayConfiguration {
    /// Reads `gateway.yaml`. Unknown keys, missing keys and values without a meaning are mistakes, which are all collected; nil then.
    ///
    /// - Parameter declared: what the gateway answers itself, with which the table must agree; nil: that is not asked.
    static func read(
        _ yaml: String, answering declared: [DeclaredRoute]? = nil, _ mistakes: inout Mistakes
    ) -> GatewayConfiguration? {
        let root = mistakes.attempt { () throws(RouteFileError) in try compose(yaml) }
        guard let root else { return nil }
        let configuration = mistakes.mapping(root, "the file") { file, mistakes -> GatewayConfiguration? in
            let limitsNode = mistakes.attempt { () throws(RouteFileError) in try file.required("limits") }
            let limits = limitsNode.flatMap { Self.limits($0, &mistakes) }
            let upstreamsNode = mistakes.attempt { () throws(RouteFileError) in try file.required("upstreams") }
            let upstreams = upstreamsNode.flatMap { Self.upstreams($0, &mistakes) }
            let routesNode = mistakes.attempt { () throws(RouteFileError) in try file.required("routes") }
            let named = Route.Named(
                classes: limits?.classes.map { Set($0.keys) }, upstreams: upstreams.map { Set($0.keys) })
            let routes = routesNode.flatMap { Self.routes($0, named, declared, &mistakes) }
            let crossOrigin = file.optional("crossOrigin").flatMap { Self.crossOrigin($0, &mistakes) }
            let requestHeaders = file.optional("requestHeaders").flatMap { Self.requestHeaders($0, &mistakes) }
            guard let limits, let address = limits.address, let upstreams, let routes else { return nil }
            return GatewayConfiguration(
                routes: routes, upstreams: upstreams.compactMapValues { $0 }, plans: limits.plans, address: address,
                userPlans: limits.userPlans, classes: limits.classes ?? [:], inFlight: limits.inFlight,
                uploads: limits.uploads,
                requestHeaders: requestHeaders ?? [], crossOrigin: crossOrigin)
        }
        return mistakes.all.isEmpty ? configuration : nil
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

    private static func crossOrigin(_ node: Node, _ mistakes: inout Mistakes) -> CrossOrigin? {
        mistakes.mapping(node, "crossOrigin") { mapping, mistakes -> CrossOrigin? in
            let list = mistakes.attempt { () throws(RouteFileError) in
                try mapping.list("origins", like: "[\"https://app.example\"]")
            }
            let origins = (list ?? []).compactMap { node in
                mistakes.attempt { () throws(RouteFileError) in try origin(node) }
            }
            let age = mistakes.attempt { () throws(RouteFileError) in
                try mapping.duration("maximumAge", default: .seconds(600))
            }
            return age.map { CrossOrigin(origins: Set(origins), maximumAge: $0) }
        }
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

    /// Every service that is listed, also one with mistakes: that routes lead to it is none.
    private static func upstreams(_ node: Node, _ mistakes: inout Mistakes) -> [ServiceName: Health?]? {
        guard let entries = mistakes.entries(node, "upstreams") else { return nil }
        var upstreams: [ServiceName: Health?] = [:]
        for entry in entries {
            guard let service = ServiceName(rawValue: entry.key), service != .gateway else {
                mistakes.add(RouteFileError(entry.mark, "\"\(entry.key)\" is not a service behind the gateway"))
                continue
            }
            upstreams.updateValue(health(entry.value, entry.key, &mistakes), forKey: service)
        }
        return upstreams
    }

    private static func health(_ node: Node, _ what: String, _ mistakes: inout Mistakes) -> Health? {
        mistakes.mapping(node, what) { mapping, mistakes -> Health? in
            let failures = mistakes.attempt { () throws(RouteFileError) in try mapping.count("failuresToOpen") }
            let openFor = mistakes.attempt { () throws(RouteFileError) in try mapping.duration("openFor") }
            let slowStart = mistakes.attempt { () throws(RouteFileError) in
                try mapping.duration("slowStart", default: Health.standardSlowStart)
            }
            let drainFor = mistakes.attempt { () throws(RouteFileError) in
                try mapping.duration("drainFor", default: Health.standardDrain)
            }
            guard let failures, let openFor, let slowStart, let drainFor else { return nil }
            return Health(failuresToOpen: failures, openFor: openFor, slowStart: slowStart, drainFor: drainFor)
        }
    }

    /// - Parameters:
    ///   - named: what a route may name.
    ///   - declared: as of ``read(_:answering:_:)``.
    private static func routes(
        _ node: Node, _ named: Route.Named, _ declared: [DeclaredRoute]?, _ mistakes: inout Mistakes
    ) -> [Route]? {
        guard case .sequence(let nodes) = node else {
            mistakes.add(RouteFileError(node, "\"routes\" must be a list"))
            return nil
        }
        var routes: [(route: Route, mark: Mark?)] = []
        var lines: [[Route.Segment]: Int] = [:]
        for node in nodes {
            guard let route = Route(node, named, &mistakes) else { continue }
            // Two templates that differ only in a parameter's name are one path.
            let shape = route.segments.map { if case .parameter = $0 { .parameter("") } else { $0 } as Route.Segment }
            if let line = lines.updateValue(node.mark?.line ?? 1, forKey: shape) {
                mistakes.add(RouteFileError(node, "\(route.template) stands in the table already, at line \(line)"))
            }
            routes.append((route, node.mark))
        }
        if let declared { compare(routes, with: declared, isWhole: routes.count == nodes.count, node.mark, &mistakes) }
        return routes.map { $0.route }
    }

    /// - Parameter isWhole: whether all routes could be read; else none is said to be missing.
    private static func compare(
        _ routes: [(route: Route, mark: Mark?)], with declared: [DeclaredRoute], isWhole: Bool, _ mark: Mark?,
        _ mistakes: inout Mistakes
    ) {
        let marks = Dictionary(
            routes.flatMap { entry in entry.route.listed.map { ($0.title, entry.mark) } },
            uniquingKeysWith: { first, _ in first })
        for found in LocalRoutes.comparison(declared, routes.map { $0.route }) {
            if let line = marks[found.title] {
                mistakes.add(RouteFileError(line, found.sentence))
            } else if isWhole {
                mistakes.add(RouteFileError(mark, found.sentence))
            }
        }
    }
}
