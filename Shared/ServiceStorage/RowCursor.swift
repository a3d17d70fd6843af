import Contracts
import ServiceKit

/// Where a list goes on, as clients get it: the sort keys of the last row shown, opaque to them.
///
/// Keys, not an offset: rows that come or go meanwhile neither repeat nor hide others.
public enum RowCursor {
    public static func encode<Keys: Encodable>(_ keys: Keys) throws -> String {
        Base64URL.encode(try WireJSON.encode(keys))
    }

    /// - Throws: `ProblemError` 422 on `cursor` for anything that ``encode(_:)`` of the same list did not give.
    public static func decode<Keys: Decodable>(_ type: Keys.Type = Keys.self, from cursor: String) throws -> Keys {
        guard let bytes = Base64URL.decode(cursor), !bytes.isEmpty, let keys = try? WireJSON.decode(type, from: bytes)
        else {
            throw refusal
        }
        return keys
    }

    /// nil for the start of the list.
    public static func decode<Keys: Decodable>(_ type: Keys.Type = Keys.self, from cursor: String?) throws -> Keys? {
        guard let cursor else { return nil }
        return try decode(type, from: cursor) as Keys
    }

    public static func encode(_ keys: [String]) -> String {
        // Strings always can be encoded; an impossible failure would only make the cursor one that is refused.
        Base64URL.encode((try? WireJSON.encode(keys)) ?? [])
    }

    /// - Parameter count: how many keys the list sorts by.
    public static func decode(_ cursor: String, count: Int) throws -> [String] {
        let keys = try decode([String].self, from: cursor) as [String]
        // U+0000 cannot be in a text the database is asked to compare with.
        guard keys.count == count, !keys.contains(where: { $0.unicodeScalars.contains("\0") }) else { throw refusal }
        return keys
    }

    private static var refusal: ProblemError { .validation("cursor", "is not a cursor of this list") }
}
