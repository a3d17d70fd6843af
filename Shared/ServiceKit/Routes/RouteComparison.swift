import Contracts

/// A line of the gateway's route table, as far as it repeats what a service declares.
public struct ListedRoute: Sendable, Hashable {
    public let method: String
    /// `/api/v1/employees/{id}`
    public let path: String
    public let access: AccessRule
    /// Whether it may be sent again when it carries an `Idempotency-Key`.
    public let takesIdempotencyKey: Bool

    /// `GET /api/v1/employees/{id}`
    public var title: String { "\(method) \(path)" }

    public init(method: String, path: String, access: AccessRule, takesIdempotencyKey: Bool = false) {
        self.method = method
        self.path = path
        self.access = access
        self.takesIdempotencyKey = takesIdempotencyKey
    }
}

/// Where the gateway's table and a service's declarations disagree.
public enum RouteComparison {
    public struct Disagreement: Sendable, Hashable {
        /// Of the route: ``ListedRoute/title``.
        public let title: String
        public let sentence: String
    }

    /// In both directions: method, path, who is let in, and what may be sent again. Internal routes are no business of the
    /// gateway's table.
    /// - Returns: sorted by their sentences.
    public static func compared(declared: [DeclaredRoute], listed: [ListedRoute]) -> [Disagreement] {
        let open = Dictionary(grouping: declared.filter { !$0.access.isInternal }, by: \.title)
        let lines = Dictionary(grouping: listed, by: \.title)
        var found: [Disagreement] = []
        func disagree(_ title: String, _ rest: String) {
            found.append(Disagreement(title: title, sentence: "\(title) \(rest)"))
        }
        for (title, routes) in open where routes.count > 1 { disagree(title, "is declared \(routes.count) times") }
        for (title, routes) in lines where routes.count > 1 {
            disagree(title, "is \(routes.count) times in the gateway's table")
        }
        let (declared, listed) = (open.compactMapValues(\.first), lines.compactMapValues(\.first))
        for (title, route) in declared {
            guard let line = listed[title] else {
                disagree(title, "is missing in the gateway's table")
                continue
            }
            if line.access != route.access {
                disagree(title, "is for \(route.access.text), in the gateway's table for \(line.access.text)")
            }
            if line.takesIdempotencyKey != route.headers.contains(.idempotencyKey) {
                let takes = line.takesIdempotencyKey ? "takes no" : "takes an"
                disagree(title, "\(takes) Idempotency-Key, unlike in the gateway's table")
            }
        }
        for title in listed.keys where declared[title] == nil {
            disagree(title, "is in the gateway's table and not answered")
        }
        return found.sorted { $0.sentence < $1.sentence }
    }
}

extension AccessRule {
    /// As it stands in messages: `permission employees:read`.
    public var text: String {
        switch self {
        case .anyone: "anybody"
        case .namedTenant: "anybody, with a tenant named"
        case .signedIn: "any credential"
        case .permission(let resource, let action): "permission \(resource.rawValue):\(action.rawValue)"
        case .platformOperator: "the platform operator"
        case .services(let names): "services \(names.map(\.rawValue).sorted().joined(separator: ", "))"
        }
    }
}
