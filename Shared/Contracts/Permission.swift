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
public struct Resource: RawRepresentable, Hashable, Sendable {
    public let rawValue: String
    public init(rawValue: String) { self.rawValue = rawValue }

    public static let users = Self(rawValue: "users")
    public static let roles = Self(rawValue: "roles")
    public static let settings = Self(rawValue: "settings")
    public static let audit = Self(rawValue: "audit")
    public static let usage = Self(rawValue: "usage")
    public static let apiKeys = Self(rawValue: "api_keys")
    public static let departments = Self(rawValue: "departments")
    public static let skills = Self(rawValue: "skills")
    public static let employees = Self(rawValue: "employees")
    public static let projects = Self(rawValue: "projects")
    public static let allocations = Self(rawValue: "allocations")
    public static let capacity = Self(rawValue: "capacity")
    public static let calendars = Self(rawValue: "calendars")
    public static let leave = Self(rawValue: "leave")
    public static let imports = Self(rawValue: "imports")
    /// Everything a tenant has, in one archive. Making an archive needs `write`, so that a permission to read does not suffice.
    public static let exports = Self(rawValue: "exports")
    public static let reports = Self(rawValue: "reports")
    public static let ml = Self(rawValue: "ml")
    public static let ownAccount = Self(rawValue: "self")
    /// The tenants themselves: only ever granted to the platform operator, never by a role inside a tenant.
    public static let tenants = Self(rawValue: "tenants")

    /// What a tenant's roles may speak of.
    public static let insideTenant: [Resource] = [
        users, roles, settings, audit, usage, apiKeys, departments, skills, employees, projects, allocations, capacity,
        calendars, leave, imports, exports, reports, ml, ownAccount,
    ]
}

public struct Action: RawRepresentable, Hashable, Sendable {
    public let rawValue: String
    public init(rawValue: String) { self.rawValue = rawValue }

    public static let read = Self(rawValue: "read")
    public static let write = Self(rawValue: "write")
    public static let update = Self(rawValue: "update")
    public static let delete = Self(rawValue: "delete")
    public static let predict = Self(rawValue: "predict")
    public static let feedback = Self(rawValue: "feedback")
    public static let train = Self(rawValue: "train")
    public static let deploy = Self(rawValue: "deploy")

    /// What a tenant's roles may allow.
    public static let insideTenant: [Action] = [read, write, update, delete, predict, feedback, train, deploy]
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
