import Contracts

/// A line of the gateway's route table, as far as it repeats what a service declares.
public struct ListedRoute: Sendable, Hashable {
    public let method: String
    /// `/api/v1/employees/{id}`
    public let path: String
    public let access: AccessRule
    /// Whether it may be sent again when it carries an `Idempotency-Key`.
    public let takesIdempotencyKey: Bool

    public init(method: String, path: String, access: AccessRule, takesIdempotencyKey: Bool = false) {
        self.method = method
        self.path = path
        self.access = access
        self.takesIdempotencyKey = takesIdempotencyKey
    }
}

/// Where the gateway's table and a service's declarations disagree.
public enum RouteComparison {
    /// In both directions: method, path, who is let in, and what may be sent again. Internal routes are no business of the
    /// gateway's table.
    /// - Returns: one sentence for each disagreement, sorted.
    public static func disagreements(declared: [DeclaredRoute], listed: [ListedRoute]) -> [String] {
        let open = Dictionary(grouping: declared.filter { !$0.access.isInternal }, by: \.title)
        let lines = Dictionary(grouping: listed) { "\($0.method) \($0.path)" }
        var sentences =
            open.filter { $0.value.count > 1 }.map { "\($0.key) is declared \($0.value.count) times" }
            + lines.filter { $0.value.count > 1 }.map { "\($0.key) is \($0.value.count) times in the gateway's table" }
        let (declared, listed) = (open.compactMapValues(\.first), lines.compactMapValues(\.first))
        for (title, route) in declared {
            guard let line = listed[title] else {
                sentences.append("\(title) is missing in the gateway's table")
                continue
            }
            if line.access != route.access {
                sentences.append("\(title) is for \(route.access.text), in the gateway's table for \(line.access.text)")
            }
            if line.takesIdempotencyKey != route.headers.contains(.idempotencyKey) {
                sentences.append(
                    "\(title) \(line.takesIdempotencyKey ? "takes no" : "takes an") Idempotency-Key, unlike in the gateway's table"
                )
            }
        }
        for title in listed.keys where declared[title] == nil {
            sentences.append("\(title) is in the gateway's table and not answered")
        }
        return sentences.sorted()
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
