public import Foundation

/// `GET /roles`.
public struct Role: Codable, Sendable, Equatable {
    public let id: RoleID
    public let name: String
    public let permissions: [Permission]
    /// One of the roles every tenant starts with, which stay as they are.
    public let isBuiltin: Bool
    public let createdAt: Date
    public let updatedAt: Date

    public init(
        id: RoleID, name: String, permissions: [Permission], isBuiltin: Bool, createdAt: Date, updatedAt: Date
    ) {
        self.id = id
        self.name = name
        self.permissions = permissions
        self.isBuiltin = isBuiltin
        self.createdAt = createdAt
        self.updatedAt = updatedAt
    }
}

/// `POST /roles`. A role cannot grant more than the user who makes it holds.
public struct CreateRoleRequest: RequestPayload {
    public let name: String
    public let permissions: [Permission]

    public init(name: String, permissions: [Permission]) {
        self.name = name
        self.permissions = permissions
    }

    public func validate(_ validation: inout Validation) {
        validation.visibleText(name, "name", maximum: 100)
        Permission.validate(permissions, &validation)
    }
}

/// `PATCH /roles/{id}`. Users who hold the role have its new grants within a second. API keys hold roles
/// by id: a renamed role stays theirs.
public struct UpdateRoleRequest: RequestPayload {
    @NonNull public var name: String?
    /// Replaces the grants.
    @NonNull public var permissions: [Permission]?

    public init(name: String? = nil, permissions: [Permission]? = nil) {
        self.name = name
        self.permissions = permissions
    }

    public func validate(_ validation: inout Validation) {
        validation.visibleText(name, "name", maximum: 100)
        if let permissions { Permission.validate(permissions, &validation) }
    }
}

/// `GET` and `PUT /users/{id}/roles`.
public struct UserRoles: RequestPayload, Equatable {
    /// Names of the tenant's roles.
    public let roles: [String]

    public init(roles: [String]) { self.roles = roles }

    public func validate(_ validation: inout Validation) { validation.tags(roles, "roles", maximumCount: 20) }
}

extension Permission {
    /// Grants of what there is; a misspelt one would grant nothing without an error.
    static func validate(_ permissions: [Permission], _ validation: inout Validation) {
        guard validation.count(permissions.count, 1...100, "permissions") else { return }
        let resources = [wildcard] + Resource.insideTenant.map(\.rawValue)
        let actions = [wildcard] + Action.allCases.map(\.rawValue)
        for (index, permission) in permissions.enumerated() {
            let path = "permissions[\(index)]"
            validation.oneOf(permission.resource, resources, "\(path).resource")
            guard validation.count(permission.actions.count, 1...20, "\(path).actions") else { continue }
            for (position, action) in permission.actions.enumerated() {
                validation.oneOf(action, actions, "\(path).actions[\(position)]")
            }
        }
    }
}
