import Contracts
import ServiceKit
import Synchronization

/// The limit of prediction requests under way. Requests beyond it are refused at once instead of waiting in a queue that only
/// grows, so that the admitted ones are answered as quickly as ever.
final class Admission: Sendable {
    private let most: Int
    private let underWay = Atomic(0)

    init(most: Int) { self.most = most }

    /// - Throws: `ProblemError` 503 with `Retry-After` when there are too many, and what `body` throws.
    func admit<Answer>(_ body: () async throws -> Answer) async throws -> Answer {
        let before = underWay.wrappingAdd(1, ordering: .relaxed).oldValue
        defer { underWay.wrappingSubtract(1, ordering: .relaxed) }
        guard before < most else { throw ProblemError.overloaded }
        return try await body()
    }
}
