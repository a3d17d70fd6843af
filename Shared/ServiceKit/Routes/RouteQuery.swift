public import Contracts
import Hummingbird

/// The query of a route. Its initialiser is the declaration: each parameter it reads is one that the route takes, and every
/// other is refused. It reads the same parameters whatever their values.
public protocol RouteQuery: Sendable {
    init(_ query: inout QueryParameters)
}

extension RouteQuery {
    /// - Throws: ``ProblemError`` 400 or 422.
    static func read(_ request: Request) throws -> Self {
        var query = try QueryParameters(request)
        let value = Self(&query)
        try query.finish()
        return value
    }

    static var parameters: [QueryParameter] {
        var query = QueryParameters()
        _ = Self(&query)
        return query.declared
    }
}

/// For a route without parameters, and for a list that cannot be narrowed.
public struct NoQuery: RouteQuery {
    public init() {}
    public init(_ query: inout QueryParameters) {}
}

/// Which part of a list is asked for.
///
/// - Parameter Position: the sort keys of a row, which the cursor holds.
public struct PageQuery<Position: Codable & Sendable>: RouteQuery {
    /// 1…500
    public let limit: Int
    /// The position of the last row that was shown; nil for the start.
    public let after: Position?

    public init(limit: Int = Page.defaultLimit, after: Position? = nil) {
        self.limit = limit
        self.after = after
    }

    public init(_ query: inout QueryParameters) { self = query.page() }

    /// One row more than asked for, which says whether the list goes on.
    public var readLimit: Int { limit + 1 }
}

/// A page of a list, and what the list is narrowed by.
public struct ListQuery<Filter: RouteQuery, Position: Codable & Sendable>: RouteQuery {
    public let page: PageQuery<Position>
    public let filter: Filter

    public init(_ query: inout QueryParameters) {
        page = query.page()
        filter = Filter(&query)
    }
}
