/// What may be done to a kind of resource; `*` stands for every resource or every action.
public struct Permission: Codable, Sendable, Hashable {
    public let resource: String
    public let actions: [String]

    public init(resource: String, actions: [String]) {
        self.resource = resource
        self.actions = actions
    }

    public func allows(_ action: Action, on resource: Resource) -> Bool {
        holds(action.rawValue, on: resource.rawValue)
    }

    /// The one place where a wildcard has its meaning. Only a wildcard grants a requested wildcard: the sum of all resources
    /// known today is less than all resources.
    fileprivate func holds(_ action: String, on resource: String) -> Bool {
        (self.resource == Self.wildcard || self.resource == resource)
            && (actions.contains(Self.wildcard) || actions.contains(action))
    }

    /// Every resource, or every action.
    public static let wildcard = "*"
}

/// A kind of thing a permission speaks of.
public enum Resource: String, CaseIterable, Sendable {
    case users, roles, settings, audit, usage
    case apiKeys = "api_keys"
    case departments, skills, employees, projects, allocations, capacity, calendars, leave, imports
    /// Everything a tenant has, in one archive. Making an archive needs `write`, so that a permission to read does not suffice.
    case exports
    case reports, ml
    case ownAccount = "self"
    /// The tenants themselves: only ever granted to the platform operator, never by a role inside a tenant.
    case tenants

    /// What a tenant's roles may speak of.
    public static let insideTenant = allCases.filter { $0 != .tenants }
}

/// What may be done to a resource; a tenant's roles may allow each.
public enum Action: String, CaseIterable, Sendable {
    case read, write, update, delete, predict, feedback, train, deploy
}

extension Sequence where Element == Permission {
    /// The same grants, each resource and action once: those of twenty roles are no longer than those of one.
    public var merged: [Permission] {
        var resources: [String] = []
        var granted: [String: [String]] = [:]
        for permission in self {
            if granted[permission.resource] == nil { resources.append(permission.resource) }
            for action in permission.actions where granted[permission.resource]?.contains(action) != true {
                granted[permission.resource, default: []].append(action)
            }
        }
        let whole = resources.map { Permission(resource: $0, actions: granted[$0, default: []]) }
        return whole.enumerated().compactMap { index, permission in
            let others = whole.enumerated().filter { $0.offset != index && $0.element.resource == Permission.wildcard }
            let actions = permission.actions.contains(Permission.wildcard) ? [Permission.wildcard] : permission.actions
            let own = actions.filter { action in
                !others.contains { $0.element.holds(action, on: permission.resource) }
            }
            return own.isEmpty ? nil : Permission(resource: permission.resource, actions: own)
        }
    }

    /// Deny by default: true only when some grant names both the resource and the action.
    public func allow(_ action: Action, on resource: Resource) -> Bool {
        contains { $0.allows(action, on: resource) }
    }

    /// Whether these grants include everything that `other` allows. A user may hand on only permissions that the user's own
    /// grants cover.
    public func cover(_ other: Permission) -> Bool {
        other.actions.allSatisfy { action in contains { $0.holds(action, on: other.resource) } }
    }
}

/// The four roles every tenant starts with (docs/architecture.md#identity-and-access).
public enum DefaultRole: String, CaseIterable, Sendable {
    case admin, manager, user, viewer

    private static let everything = ["read", "write", "update", "delete"]

    public var permissions: [Permission] {
        switch self {
        case .admin:
            [Permission(resource: "*", actions: ["*"])]
        case .manager:
            [
                Permission(resource: "employees", actions: ["read", "write", "update"]),
                Permission(resource: "departments", actions: Self.everything),
                Permission(resource: "skills", actions: Self.everything),
                Permission(resource: "calendars", actions: Self.everything),
                Permission(resource: "leave", actions: Self.everything),
                Permission(resource: "capacity", actions: Self.everything),
                Permission(resource: "projects", actions: Self.everything),
                Permission(resource: "allocations", actions: Self.everything),
                Permission(resource: "imports", actions: ["read", "write"]),
                Permission(resource: "settings", actions: ["read"]),
                Permission(resource: "reports", actions: ["read"]),
                Permission(resource: "ml", actions: ["predict", "read", "feedback"]),
            ]
        case .user:
            [
                Permission(resource: "employees", actions: ["read"]),
                Permission(resource: "projects", actions: ["read"]),
                Permission(resource: "allocations", actions: ["read"]),
                Permission(resource: "self", actions: ["read", "update"]),
            ]
        case .viewer:
            [Permission(resource: "*", actions: ["read"])]
        }
    }
}
