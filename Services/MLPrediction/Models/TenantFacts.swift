import Basics
import Contracts
import HTTPTypes
import ServiceKit
import Synchronization

/// What ml-training says of each tenant, such as which model is deployed: cached until a change, and for half a second while the
/// change feed is down. That there is none is never cached, so that a first deployment is used at once.
///
/// While ml-training does not answer, the last known fact counts, as unconfirmed.
final class TenantFacts<Fact: Sendable>: Sendable {
    typealias Instant = ContinuousClock.Instant

    struct Answer: Sendable {
        let fact: Fact
        /// False where ml-training could not be asked lately.
        let isConfirmed: Bool
    }

    private struct Known: Sendable {
        /// nil for none.
        let fact: Fact?
        let askedAt: Instant
        /// When ml-training could last not be asked.
        var failedAt: Instant?
    }

    private struct Question: Sendable {
        let flight: Flight<Fact?>
        let askedAt: Instant
    }

    private struct State: Sendable {
        var known: RecentEntries<TenantID, Known>
        var questions: [TenantID: Question] = [:]
    }

    private let ask: @Sendable (TenantID) async throws -> Fact?
    private let staleAfter: Duration
    private let patience: Duration
    private let news: @Sendable (TenantID, Instant) -> TenantNews.Since
    private let now: @Sendable () -> Instant
    private let state: Mutex<State>

    /// - Parameters:
    ///   - patience: how long ml-training is waited for while a fact is known.
    ///   - maximumCount: of tenants.
    ///   - news: what has become of a tenant's fact since it was asked for, according to the change feed.
    ///   - ask: nil where there is none.
    init(
        staleAfter: Duration, patience: Duration, maximumCount: Int = 20_000,
        news: @escaping @Sendable (TenantID, Instant) -> TenantNews.Since, now: @escaping @Sendable () -> Instant,
        ask: @escaping @Sendable (TenantID) async throws -> Fact?
    ) {
        self.ask = ask
        self.staleAfter = staleAfter
        self.patience = patience
        self.news = news
        self.now = now
        state = Mutex(State(known: RecentEntries(maximumCount: maximumCount)))
    }

    /// nil where there is none.
    /// - Throws: `ProblemError` 503 where nothing is known and ml-training cannot be asked.
    func fact(of tenant: TenantID) async throws -> Answer? {
        guard let known = state.withLock({ $0.known.use(tenant) }), let fact = known.fact else {
            return try await answer(tenant).map { Answer(fact: $0, isConfirmed: true) }
        }
        if isCurrent(known, tenant) { return Answer(fact: fact, isConfirmed: true) }
        let former = Answer(fact: fact, isConfirmed: false)
        if let failedAt = known.failedAt, now() - failedAt <= staleAfter { return former }
        do {
            return try await answerInTime(tenant).map { Answer(fact: $0, isConfirmed: true) }
        } catch let error as ProblemError where error.status.code >= 500 {
            let time = now()
            state.withLock { $0.known.update(tenant) { $0.failedAt = time } }
            return former
        }
    }

    /// The fact where nobody need be asked; nil where there is none or it may have changed.
    func factAtHand(of tenant: TenantID) -> Fact? {
        guard let known = state.withLock({ $0.known.use(tenant) }), isCurrent(known, tenant) else { return nil }
        return known.fact
    }

    private func isCurrent(_ known: Known, _ tenant: TenantID) -> Bool {
        switch news(tenant, known.askedAt) {
        case .unchanged: true
        case .unknown: now() - known.askedAt <= staleAfter
        case .changed: false
        }
    }

    /// What ml-training says when it is asked after that moment, whatever was known before; nil for none.
    @discardableResult
    func fact(of tenant: TenantID, askedAfter moment: Instant) async throws -> Fact? {
        if let known = state.withLock({ $0.known.use(tenant) }), known.askedAt > moment { return known.fact }
        return try await question(tenant, askedAfter: moment).flight.value
    }

    func forget(_ tenant: TenantID) { state.withLock { $0.known.remove(tenant) } }

    /// - Throws: `ProblemError` 503 when the answer takes longer; the question goes on.
    private func answerInTime(_ tenant: TenantID) async throws -> Fact? {
        guard let answer = try await withTimeLimit(patience, { try await self.answer(tenant) }) else {
            throw ProblemError.unavailable("The model registry does not answer in time.")
        }
        return answer
    }

    private func answer(_ tenant: TenantID) async throws -> Fact? {
        let start = now()
        let question = question(tenant)
        if let fact = try await question.flight.value { return fact }
        // One that was under way already may have been asked before the first deployment: only its yes is taken.
        guard question.askedAt < start else { return nil }
        return try await self.question(tenant).flight.value
    }

    /// The question under way, unless it was put before a change or before `moment`, or so long ago that its answer may be lost: that is
    /// known only at its deadline, seconds later. Else a new one.
    private func question(_ tenant: TenantID, askedAfter moment: Instant? = nil) -> Question {
        let askedAt = now()
        return state.withLock { state in
            if let question = state.questions[tenant], moment.map({ question.askedAt > $0 }) ?? true,
                askedAt - question.askedAt <= staleAfter, news(tenant, question.askedAt) != .changed
            {
                return question
            }
            let flight = Flight<Fact?>({ [ask] in try await ask(tenant) }) { [self] flight, answer in
                land(flight, answer, tenant, askedAt)
            }
            let question = Question(flight: flight, askedAt: askedAt)
            state.questions[tenant] = question
            return question
        }
    }

    private func land(
        _ flight: Flight<Fact?>, _ answer: Result<Fact?, any Error>, _ tenant: TenantID, _ askedAt: Instant
    ) {
        state.withLock { state in
            if state.questions[tenant]?.flight === flight { state.questions[tenant] = nil }
            guard case .success(let fact) = answer else { return }
            // The answer to an older question may come after that to a newer one.
            if let known = state.known[tenant], known.askedAt > askedAt { return }
            state.known.insert(Known(fact: fact, askedAt: askedAt), for: tenant)
        }
    }
}
