public import Contracts

/// Where a follower reads changes.
public protocol ChangeSource: Sendable {
    /// The changes after a position: at once when there are any, else after a short wait.
    ///
    /// The answer holds every change committed before the request, unless its `isWhole` is false.
    /// - Parameter position: nil for the feed's present end.
    func news(after position: String?) async throws -> ChangeNews
}

/// Another service's changes.
public struct ServiceChanges: ChangeSource {
    private let client: ServiceClient
    private let kinds: [ChangeKind]

    /// - Parameter kinds: the kinds of changes to follow.
    public init(_ client: ServiceClient, of kinds: [ChangeKind]) {
        var client = client
        // An answer later than this would be too old to count as current.
        client.deadline = .seconds(2)
        client.retries = 0
        self.client = client
        self.kinds = kinds
    }

    public func news(after position: String?) async throws -> ChangeNews {
        let after = position.map { "&after=\($0)" } ?? ""
        let kinds = kinds.map(\.rawValue).joined(separator: ",")
        return try await client.get("/internal/v1/changes?kinds=\(kinds)\(after)", trace: TraceContext())
    }
}
