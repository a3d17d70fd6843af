public import Contracts
public import ServiceKit

/// The query of `GET /internal/v1/changes`.
public struct ChangesQuery: RouteQuery {
    /// nil: the feed's present end.
    let after: ChangePosition?
    /// The kinds of changes in the answer; nil: all.
    let kinds: Set<ChangeKind>?

    public init(_ query: inout QueryParameters) {
        after = query.value("after", "is not a position of this feed") { ChangePosition($0) }
        kinds = query.value("kinds", "must be kinds of changes, separated by commas") { text in
            Set(text.split(separator: ",").map { ChangeKind(rawValue: String($0)) })
        }
    }
}

extension ChangeFeed {
    public func news(_ query: ChangesQuery) async throws -> ChangeNews {
        try await news(after: query.after, of: query.kinds)
    }
}
