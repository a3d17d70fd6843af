import Contracts

/// A line of the gateway's route table, as far as it repeats what a service declares.
public struct ListedRoute: Sendable, Hashable {
    public let method: String
    /// `/api/v1/employees/{id}`
    public let path: String
    public let access: AccessRule

    public init(method: String, path: String, access: AccessRule) {
        self.method = method
        self.path = path
        self.access = access
    }
}

/// Where the gateway's table and a service's declarations disagree.
public enum RouteComparison {
    /// In both directions: method, path and who is let in. Internal routes are no business of the gateway's table.
    /// - Returns: one sentence for each disagreement, sorted.
    public static func disagreements(declared: [DeclaredRoute], listed: [ListedRoute]) -> [String] {
        let declared = Dictionary(
            declared.filter { !$0.access.isInternal }.map { ($0.title, $0.access) },
            uniquingKeysWith: { first, _ in first })
        let listed = Dictionary(
            listed.map { ("\($0.method) \($0.path)", $0.access) }, uniquingKeysWith: { first, _ in first })
        var sentences: [String] = []
        for (title, access) in declared {
            switch listed[title] {
            case nil: sentences.append("\(title) is missing in the gateway's table")
            case access: break
            case .some(let other):
                sentences.append("\(title) is for \(access.text), in the gateway's table for \(other.text)")
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
