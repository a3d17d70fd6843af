public import Contracts

/// Where changes are heard of.
public protocol ChangeSource: Sendable {
    /// What has changed after a position, at once when anything has, else after a short while.
    ///
    /// The answer is of after the question: all that was committed before the question is in it, unless it says that it is not whole.
    /// - Parameter position: nil for where the changes are now.
    func news(after position: String?) async throws -> ChangeNews
}

/// Another service's changes.
public struct ServiceChanges: ChangeSource {
    private let client: ServiceClient
    private let kinds: [ChangeKind]

    /// - Parameter kinds: those that are asked for.
    public init(_ client: ServiceClient, of kinds: [ChangeKind]) {
        var client = client
        // A later answer would still be told, and no more be trusted.
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
