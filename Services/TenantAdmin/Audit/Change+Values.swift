import Contracts

extension Change {
    /// A write with the values of the fields that it changed, before and after.
    /// - Parameters:
    ///   - before: nil for what is new.
    ///   - after: nil for what is gone.
    ///   - columns: the names of what was set, where the change itself knows them.
    static func write(
        _ action: String, _ entity: String, _ id: String?, before: (some Encodable)?, after: (some Encodable)?,
        columns: [String] = []
    ) throws -> Change {
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
        return Change(action, entity, id, details: details)
    }

    private static func members(_ value: (some Encodable)?) throws -> [String: JSONValue] {
        guard let value else { return [:] }
        guard case .object(let members) = try WireJSON.decode(JSONValue.self, from: try WireJSON.encode(value)) else {
            return [:]
        }
        return members
    }
}
