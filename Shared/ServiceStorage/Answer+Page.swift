public import Foundation
public import Hummingbird
public import ServiceKit

extension Answer {
    /// A page of at most `limit` items out of a query for one more, which only says that the list goes on.
    public static func page<Item: Codable & Sendable>(
        _ found: [Item], limit: Int, position: (Item) -> some Codable
    ) throws -> Response {
        let items = Array(found.prefix(limit))
        let next = try found.count > limit ? items.last.map { try RowCursor.encode(position($0)) } : nil
        return try list(items, nextCursor: next)
    }
}

extension Date {
    /// As a `timestamptz` holds it.
    public var microsecondsSince1970: Int { Int((timeIntervalSince1970 * 1_000_000).rounded()) }
}
