import Contracts
import Foundation

/// A role that somebody has asked tenant-admin to delete. Only the gateway knows which roles API keys hold, and only tenant-admin deletes
/// roles: announced here first, no key is made with the role meanwhile.
struct RoleRemoval: Sendable, Equatable {
    /// For how long no key is made with a role whose deletion was not refused: longer than any request that has read the tenant's roles
    /// before the deletion, and than a deletion whose outcome the gateway has not learned.
    static let memory: TimeInterval = 600

    var id = UUID()
    let role: RoleID
    let tenant: TenantID
}
