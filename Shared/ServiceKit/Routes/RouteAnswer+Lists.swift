import HTTPTypes
public import Hummingbird

/// 200, one page of a list.
public struct Listed<Item: Codable & Sendable>: RouteAnswer {
    let items: [Item]
    let nextCursor: String?

    /// All there is.
    public init(all items: [Item]) {
        self.items = items
        nextCursor = nil
    }

    /// A page out of a query for ``PageQuery/readLimit`` rows, the last of which only says that the list goes on.
    /// - Parameter position: of the last item shown, where the next page begins.
    public init<Position>(_ found: [Item], _ page: PageQuery<Position>, position: (Item) -> Position) throws {
        try self.init(found, page, position: position) { $0 }
    }

    /// The same for rows that carry their position beside the item.
    public init<Row, Position>(
        _ found: [Row], _ page: PageQuery<Position>, position: (Row) -> Position, item: (Row) -> Item
    ) throws {
        let shown = found.prefix(page.limit)
        items = shown.map(item)
        nextCursor = try found.count > page.limit ? shown.last.map { try RowCursor.encode(position($0)) } : nil
    }

    public static var description: AnswerDescription { .init(.ok, content: [.list(Item.self)]) }

    public func response(to request: Request) throws -> Response {
        try Answer.list(items, nextCursor: nextCursor)
    }
}

/// ``Listed`` with its items written beforehand: many long ones take longer than any other work of an answer.
public struct ListedJSON<Item: Codable & Sendable>: RouteAnswer {
    private let items: [[UInt8]]
    private let nextCursor: String?

    /// - Parameter write: gives the JSON of each item.
    /// - Throws: what `write` throws.
    public init(
        _ list: Listed<Item>, isolation: isolated (any Actor)? = #isolation,
        writing write: ([Item]) async throws -> [[UInt8]]
    ) async throws {
        items = try await write(list.items)
        nextCursor = list.nextCursor
    }

    public static var description: AnswerDescription { Listed<Item>.description }

    public func response(to request: Request) throws -> Response {
        try Answer.list(json: items, nextCursor: nextCursor)
    }
}

/// A list that is read and changed as a whole, with its `ETag`.
public struct TaggedList<Item: Codable & Sendable>: RouteAnswer {
    let items: [Item]

    public init(_ items: [Item]) { self.items = items }

    public static var description: AnswerDescription {
        .init(.ok, content: [.list(Item.self)], headers: [.eTag])
    }

    public func response(to request: Request) throws -> Response {
        var response = try Answer.list(items, nextCursor: nil)
        response.headers[.eTag] = try EntityTag(of: items).headerValue
        return response
    }
}
