/// Grants compiled for asking: a byte for each kind of resource, a bit in it for each action. However many grants there were,
/// a question is one look and one comparison.
///
/// The same as ``Swift/Sequence/allow(_:on:)`` of the grants, for all that a tenant's roles may speak of. What they may not speak of
/// is never allowed.
public struct PermissionBits: Sendable, Hashable {
    /// What a request needs, in the same form.
    public struct Need: Sendable, Hashable {
        fileprivate let resource: Int
        fileprivate let action: UInt8

        /// nil for what no role inside a tenant can grant.
        public init?(_ action: Action, on resource: Resource) {
            guard let resource = PermissionBits.places[resource.rawValue],
                let action = PermissionBits.bits[action.rawValue]
            else { return nil }
            (self.resource, self.action) = (resource, action)
        }
    }

    private static let places = Dictionary(
        uniqueKeysWithValues: Resource.insideTenant.enumerated().map { ($1.rawValue, $0) })
    private static let bits = Dictionary(
        uniqueKeysWithValues: Action.allCases.enumerated().map { ($1.rawValue, UInt8(1) << $0) })

    private var granted = SIMD32<UInt8>(repeating: 0)

    /// Nothing is granted.
    public init() {}

    public init(_ permissions: some Sequence<Permission>) {
        for permission in permissions { grant(permission) }
    }

    public mutating func grant(_ permission: Permission) {
        let isEverything = permission.actions.contains(Permission.wildcard)
        let actions = isEverything ? .max : permission.actions.reduce(0) { $0 | (Self.bits[$1] ?? 0) }
        if permission.resource == Permission.wildcard {
            granted |= SIMD32(repeating: actions)
        } else if let place = Self.places[permission.resource] {
            granted[place] |= actions
        }
    }

    /// Deny by default, as for the grants themselves.
    public func allow(_ need: Need) -> Bool { granted[need.resource] & need.action != 0 }
}
