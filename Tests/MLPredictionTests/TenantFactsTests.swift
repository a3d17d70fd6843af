import Contracts
import Synchronization
import Testing

@testable import MLPrediction

@Suite(.timeLimit(.minutes(5))) struct TenantFactsTests {
    /// Questions that wait until the test answers them.
    private final class Questions: Sendable {
        let asked: AsyncStream<Void>
        private let told: AsyncStream<Void>.Continuation
        private let waiting = Mutex<[CheckedContinuation<Int?, Never>]>([])

        init() { (asked, told) = AsyncStream.makeStream(of: Void.self) }

        func ask() async -> Int? {
            await withCheckedContinuation { continuation in
                waiting.withLock { $0.append(continuation) }
                told.yield()
            }
        }

        /// - Parameter question: 0 for the first.
        func answer(_ question: Int, _ fact: Int?) { waiting.withLock { $0[question] }.resume(returning: fact) }
    }

    private let clock = ManualClock()
    private let tenant = TenantID()
    private let questions = Questions()

    private func facts(
        _ news: @escaping @Sendable (TenantID, ContinuousClock.Instant) -> TenantNews.Since = { _, _ in .unknown }
    ) -> TenantFacts<Int> {
        TenantFacts(
            staleAfter: .milliseconds(500), patience: .seconds(600), news: news, now: clock.now
        ) { [questions] _ in await questions.ask() }
    }

    @Test("the answer to an older question does not replace that to a newer one")
    func olderAnswer() async throws {
        let facts = facts()
        var asked = questions.asked.makeAsyncIterator()
        async let older = facts.fact(of: tenant)
        _ = await asked.next()
        clock.advance(by: .milliseconds(1))
        async let newer = facts.fact(of: tenant, askedAfter: clock.now())
        _ = await asked.next()
        questions.answer(1, 2)
        let newest = try await newer
        questions.answer(0, 1)
        let late = try await older
        let known = try await facts.fact(of: tenant)

        #expect(newest == 2 && late?.fact == 1)
        #expect(known?.fact == 2)
    }

    @Test("a question that has no answer for long is put again: one lost answer hides no deployment")
    func lostAnswer() async throws {
        let facts = facts()
        var asked = questions.asked.makeAsyncIterator()
        async let first = facts.fact(of: tenant)
        _ = await asked.next()
        clock.advance(by: .milliseconds(501))
        async let second = facts.fact(of: tenant)
        _ = await asked.next()
        questions.answer(1, 2)
        let newest = try await second
        questions.answer(0, 1)
        let late = try await first
        let known = try await facts.fact(of: tenant)

        #expect(newest?.fact == 2 && late?.fact == 1)
        #expect(known?.fact == 2)
    }

    @Test("a question from before a change is joined by nobody who asks after the change")
    func changedMeanwhile() async throws {
        let isChanged = Mutex(false)
        let facts = facts { _, _ in isChanged.withLock { $0 } ? .changed : .unchanged }
        var asked = questions.asked.makeAsyncIterator()
        async let before = facts.fact(of: tenant)
        _ = await asked.next()
        isChanged.withLock { $0 = true }
        async let after = facts.fact(of: tenant)
        _ = await asked.next()
        questions.answer(0, 1)
        questions.answer(1, 2)
        let (first, second) = (try await before, try await after)

        #expect(first?.fact == 1 && second?.fact == 2)
    }
}
