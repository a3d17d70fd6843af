/// What the entries of an audit log say of a resource: all its values before it is deleted and after it is created, and of a
/// change the fields that it changed, before and after.
///
/// What is passed is the resource as clients see it, which holds no password hash and no token.
///
/// As they are hashed, details have no value that names a person, but its digest: `{"before": {}, "after": {}, "sealed": {"before.name":
/// "9f86d0…", "after.name": "a3c1e2…"}}`. An entry that records an erasure says which values of earlier entries are gone, by place:
/// `{"erased": {"before.name": [12], "after.name": [3, 12]}}`.
public enum AuditDetails {
    /// `{"before": {"name": "Ada"}, "after": {"name": "Grace"}}`
    /// - Parameters:
    ///   - before: nil for what is new.
    ///   - after: nil for what is gone.
    ///   - columns: the names of what was set, where the change itself knows them.
    public static func of(
        before: (some Encodable)?, after: (some Encodable)?, columns: [String] = []
    ) throws -> [String: JSONValue] {
        var (old, new) = (try members(before), try members(after))
        if before != nil, after != nil {
            for (field, value) in old where new[field] == value {
                old[field] = nil
                new[field] = nil
            }
            // What is left out on one side was or is nothing.
            for field in old.keys where new[field] == nil { new[field] = .null }
            for field in new.keys where old[field] == nil { old[field] = .null }
        }
        var details: [String: JSONValue] = [:]
        if !columns.isEmpty { details["columns"] = .array(columns.map(JSONValue.string)) }
        if before != nil { details["before"] = .object(old) }
        if after != nil { details["after"] = .object(new) }
        return details
    }

    private static func members(_ value: (some Encodable)?) throws -> [String: JSONValue] {
        guard let value, case .object(let members) = try JSONValue(encoding: value) else { return [:] }
        return members
    }
}

extension JSONValue {
    /// The value as it stands on the wire.
    public init(encoding value: some Encodable) throws {
        self = try WireJSON.decode(from: try WireJSON.encode(value))
    }
}
