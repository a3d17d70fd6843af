import Basics
import Contracts
import Synchronization

/// A tenant's roles as remembered: with what the roles of an API key grant together compiled once, not at each request.
///
/// What is compiled is forgotten together with the roles that it was compiled from, and so is as true as they are.
final class KnownRoles: Sendable {
    let all: [RoleGrants]
    /// By the ids of the roles: keys with the same roles share it.
    private let compiled = Mutex(RecentEntries<[RoleID], HeldGrants>(maximumCount: 500))

    init(_ all: [RoleGrants]) { self.all = all }

    /// What the key's roles grant now, not when it was made.
    func held(by key: APIKey) -> HeldGrants {
        // By name only until ids are found out; by then it may be another set of roles.
        guard let ids = key.roleIDs else { return HeldGrants(key.held(all)) }
        if let held = compiled.withLock({ $0.use(ids) }) { return held }
        let held = HeldGrants(key.held(all))
        compiled.withLock { $0.insert(held, for: ids) }
        return held
    }
}

/// What several roles grant together, compiled.
final class HeldGrants: Sendable {
    let roles: [String]
    let permissions: [Permission]
    let granted: PermissionBits

    init(_ roles: [RoleGrants]) {
        self.roles = roles.map(\.name)
        permissions = roles.flatMap(\.permissions).merged
        granted = PermissionBits(permissions)
    }
}
