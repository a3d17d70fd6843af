import Basics
import Synchronization
import Testing

@Suite("One question for many")
struct SingleFlightTests {
    /// A question that is answered from the moment the test says so.
    private final class Gate: Sendable {
        private struct State {
            var timesAsked = 0
            var answer: Int?
            var waiting: [CheckedContinuation<Int, Never>] = []
        }

        private let state = Mutex(State())

        var timesAsked: Int { state.withLock { $0.timesAsked } }

        func ask() async throws -> Int {
            let answer = await withCheckedContinuation { continuation in
                let answer = state.withLock { state -> Int? in
                    state.timesAsked += 1
                    if state.answer == nil { state.waiting.append(continuation) }
                    return state.answer
                }
                if let answer { continuation.resume(returning: answer) }
            }
            guard answer >= 0 else { throw Trouble(number: answer) }
            return answer
        }

        func answer(_ number: Int) {
            let waiting = state.withLock { state in
                state.answer = number
                defer { state.waiting = [] }
                return state.waiting
            }
            for waiter in waiting { waiter.resume(returning: number) }
        }
    }

    private final class Counter: Sendable {
        private let count = Mutex(0)

        func increment() -> Int {
            count.withLock { count in
                count += 1
                return count
            }
        }
    }

    private struct Trouble: Error, Equatable { let number: Int }

    @Test("all tasks that join a question under way get its one answer")
    func joins() async throws {
        let (flights, gate) = (SingleFlight<String, Int>(), Gate())
        let first = flights.flight(for: "a") { try await gate.ask() }
        let others = (0..<50).map { _ in flights.flight(for: "a") { try await gate.ask() } }
        let waiters = others.map { flight in Task { try await flight.value } }
        gate.answer(7)
        for waiter in waiters { #expect(try await waiter.value == 7) }
        #expect(others.allSatisfy { $0 === first })
        #expect(gate.timesAsked == 1)
    }

    @Test("a request after an answer starts a new question, even from the moment of the answer")
    func asksAnew() async throws {
        let flights = SingleFlight<String, Int>()
        let count = Counter()
        for expected in 1...200 {
            let answer = try await flights.value(for: "a") { count.increment() }
            #expect(answer == expected)
            #expect(flights.flight(for: "a") == nil)
        }
    }

    @Test("keys do not wait for each other")
    func keys() async throws {
        let (flights, gate) = (SingleFlight<String, Int>(), Gate())
        let slow = flights.flight(for: "slow") { try await gate.ask() }
        #expect(try await flights.value(for: "quick") { 1 } == 1)
        gate.answer(2)
        #expect(try await slow.value == 2)
    }

    @Test("a failure reaches all waiting tasks and is not cached")
    func failure() async throws {
        let (flights, gate) = (SingleFlight<String, Int>(), Gate())
        let flight = flights.flight(for: "a") { try await gate.ask() }
        let waiters = (0..<10).map { _ in Task { try await flight.value } }
        gate.answer(-3)
        for waiter in waiters { await #expect(throws: Trouble(number: -3)) { try await waiter.value } }
        #expect(try await flights.value(for: "a") { 4 } == 4)
    }

    @Test("a cancelled waiter leaves at once, while the question goes on for the others")
    func cancellation() async throws {
        let (flights, gate) = (SingleFlight<String, Int>(), Gate())
        let flight = flights.flight(for: "a") { try await gate.ask() }
        let (leaver, stayer) = (Task { try await flight.value }, Task { try await flight.value })
        leaver.cancel()
        // The question is still unanswered: only the cancellation can end this.
        await #expect(throws: CancellationError.self) { try await leaver.value }
        #expect(flights.flight(for: "a") === flight)
        gate.answer(5)
        #expect(try await stayer.value == 5)
    }

    @Test("a task that is cancelled before it waits does not wait")
    func cancelledBefore() async throws {
        let (flights, gate) = (SingleFlight<String, Int>(), Gate())
        let flight = flights.flight(for: "a") { try await gate.ask() }
        let late = Task {
            while !Task.isCancelled { await Task.yield() }
            return try await flight.value
        }
        late.cancel()
        await #expect(throws: CancellationError.self) { try await late.value }
        gate.answer(1)
        #expect(try await flight.value == 1)
    }

    @Test("cancelling and answering at the same moment resumes every waiter exactly once")
    func race() async throws {
        let flights = SingleFlight<Int, Int>()
        for round in 0..<300 {
            let gate = Gate()
            let flight = flights.flight(for: round) { try await gate.ask() }
            let waiters = (0..<8).map { _ in Task { try await flight.value } }
            async let answering: Void = gate.answer(round)
            for waiter in waiters.prefix(4) { waiter.cancel() }
            await answering
            for waiter in waiters.prefix(4) {
                if case .success(let answer) = await waiter.result { #expect(answer == round) }
            }
            for waiter in waiters.suffix(4) { #expect(try await waiter.value == round) }
        }
    }

    @Test("the landing gets the answer before any waiter, and also without waiters")
    func landing() async throws {
        let (landings, landing) = AsyncStream.makeStream(of: Bool.self)
        let flight = Flight<Int>({ throw Trouble(number: 1) }) { _, answer in
            if case .failure = answer { landing.yield(true) } else { landing.yield(false) }
        }
        for await isFailure in landings {
            #expect(isFailure)
            break
        }
        await #expect(throws: Trouble(number: 1)) { try await flight.value }
    }

    @Test("a forgotten question is not joined, and its end does not end the newer one")
    func forgotten() async throws {
        let (flights, old, new) = (SingleFlight<String, Int>(), Gate(), Gate())
        let before = flights.flight(for: "a") { try await old.ask() }
        flights.forget("a")
        let after = flights.flight(for: "a") { try await new.ask() }
        #expect(before !== after)
        old.answer(1)
        #expect(try await before.value == 1)
        #expect(flights.flight(for: "a") === after)
        new.answer(2)
        #expect(try await after.value == 2)
    }
}
