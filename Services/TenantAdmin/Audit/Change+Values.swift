import Contracts

extension Change {
    /// A write with the values of the fields that it changed, before and after (``AuditDetails``).
    static func write(
        _ action: String, _ entity: String, _ id: String?, before: (some Encodable)?, after: (some Encodable)?,
        columns: [String] = []
    ) throws -> Change {
        Change(
            action, entity, id, details: try AuditDetails.of(before: before, after: after, columns: columns))
    }

    static func create<Item: Encodable>(_ entity: String, _ id: String, _ item: Item) throws -> Change {
        try write("create", entity, id, before: Item?.none, after: item)
    }

    static func update<Item: Encodable>(
        _ entity: String, _ id: String?, from before: Item, to after: Item, action: String = "update"
    ) throws -> Change {
        try write(action, entity, id, before: before, after: after)
    }

    static func delete<Item: Encodable>(_ entity: String, _ id: String, _ item: Item) throws -> Change {
        try write("delete", entity, id, before: item, after: Item?.none)
    }
}
