import Contracts
import ServiceKit
import Synchronization

/// The limit of prediction requests under way. Requests beyond it are refused at once instead of waiting in a queue that only
/// grows, so that the admitted ones are answered as quickly as ever.
///
/// A request has its place while it is answered, not while the history or the model of its tenant is loaded: the requests of one tenant
/// that wait would keep the others out.
final class Admission: Sendable {
    private let most: Int
    private let underWay = Mutex(0)

    init(most: Int) { self.most = most }

    /// The places of a request with so many questions: it takes the time and memory of many requests.
    static func places(for questions: Int) -> Int { (questions + 99) / 100 }

    /// - Throws: `ProblemError` 503 with `Retry-After` where ``admit(_:_:)`` would refuse at the moment.
    func requireRoom(for places: Int = 1) throws {
        guard isFree(places, beside: underWay.withLock { $0 }) else { throw ProblemError.overloaded }
    }

    /// - Throws: `ProblemError` 503 with `Retry-After` when there are too many, and what `body` throws.
    func admit<Answer>(_ places: Int = 1, _ body: () async throws -> Answer) async throws -> Answer {
        let isAdmitted = underWay.withLock { underWay in
            guard isFree(places, beside: underWay) else { return false }
            underWay += places
            return true
        }
        guard isAdmitted else { throw ProblemError.overloaded }
        defer { underWay.withLock { $0 -= places } }
        return try await body()
    }

    /// One that needs more places than there are gets all of them.
    private func isFree(_ places: Int, beside taken: Int) -> Bool { taken == 0 || taken + places <= most }
}
