import Basics
import Contracts
import Foundation
import Synchronization

/// Which models were deployed at past moments, as far as ml-training has been asked. What is past stays as it was, unless an archive
/// is restored, which the change feed tells.
final class PastDeployments: Sendable {
    typealias Instant = ContinuousClock.Instant

    /// Moments at which one model was deployed, or none.
    private struct Span: Sendable {
        let deployment: DeployedModel?
        let moments: ClosedRange<Date>
        let askedAt: Instant
    }

    /// Of one tenant; beyond them the oldest answer goes.
    private static let mostSpans = 64

    private let source: any ModelSource
    private let news: @Sendable (TenantID, Instant) -> TenantNews.Since
    private let now: @Sendable () -> Instant
    private let spans = Mutex(RecentEntries<TenantID, [Span]>(maximumCount: 2_000))

    /// - Parameter news: as of ``TenantFacts``.
    init(
        source: any ModelSource, news: @escaping @Sendable (TenantID, Instant) -> TenantNews.Since,
        now: @escaping @Sendable () -> Instant
    ) {
        self.source = source
        self.news = news
        self.now = now
    }

    /// nil when none was deployed then.
    /// - Throws: `ProblemError` 503 where it is not known and ml-training cannot be asked.
    func deployment(of tenant: TenantID, at moment: Date) async throws -> DeployedModel? {
        let known = spans.withLock { $0.use(tenant) } ?? []
        if let span = known.first(where: { $0.moments.contains(moment) && holds($0, tenant) }) {
            return span.deployment
        }
        let askedAt = now()
        let deployment = try await source.deployment(tenant: tenant, at: moment)
        // Times cross the wire in whole milliseconds.
        let first = deployment?.deployedAt.addingTimeInterval(0.001) ?? .distantPast
        if first <= moment { keep(Span(deployment: deployment, moments: first...moment, askedAt: askedAt), of: tenant) }
        return deployment
    }

    /// That there was none is taken from the change feed alone: the first deployment is used at once.
    private func holds(_ span: Span, _ tenant: TenantID) -> Bool {
        switch news(tenant, span.askedAt) {
        case .unchanged: true
        case .unknown: span.deployment != nil
        case .changed: false
        }
    }

    func forget(_ tenant: TenantID) { spans.withLock { $0.remove(tenant) } }

    private func keep(_ new: Span, of tenant: TenantID) {
        spans.withLock { spans in
            let others = (spans[tenant] ?? []).filter {
                !(new.moments.contains($0.moments.lowerBound) && new.moments.contains($0.moments.upperBound))
            }
            spans.insert(Array(others.suffix(Self.mostSpans - 1)) + [new], for: tenant)
        }
    }
}
