import Basics
import Synchronization
import Testing

@Suite("Fresh cache")
struct FreshCacheTests {
    private final class Clock: Sendable {
        private let offset = Mutex(Duration.zero)
        private let start = ContinuousClock.now
        func advance(_ duration: Duration) { offset.withLock { $0 += duration } }
        var now: ContinuousClock.Instant { start + offset.withLock { $0 } }
    }

    private struct Failure: Error {}

    private final class Counter: Sendable {
        private let value = Mutex(0)
        var count: Int { value.withLock { $0 } }
        func increment() { value.withLock { $0 += 1 } }
    }

    @Test("many concurrent requests cause one query")
    func singleFlight() async throws {
        // It stands still: on a busy machine the last of them may ask half a second after the first.
        let clock = Clock()
        let cache = FreshCache<String, Int>(maximumAge: .milliseconds(500), now: { clock.now })
        let asked = Counter()
        let answers = try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<20 {
                group.addTask {
                    try await cache.value(for: "a") {
                        asked.increment()
                        await Task.yield()
                        return 7
                    }
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(answers == Array(repeating: 7, count: 20))
        #expect(asked.count == 1)
    }

    @Test("after half a second an entry is queried again")
    func expiry() async throws {
        let clock = Clock()
        let cache = FreshCache<String, Int>(maximumAge: .milliseconds(500), now: { clock.now })
        #expect(try await cache.value(for: "a") { 1 } == 1)
        clock.advance(.milliseconds(499))
        #expect(try await cache.value(for: "a") { 2 } == 1)
        clock.advance(.milliseconds(1))
        #expect(try await cache.value(for: "a") { 3 } == 3)
    }

    @Test("a failure is never remembered, and never answered with what was known before")
    func failure() async throws {
        let clock = Clock()
        let cache = FreshCache<String, Int>(maximumAge: .milliseconds(500), now: { clock.now })
        _ = try await cache.value(for: "a") { 1 }
        clock.advance(.seconds(1))
        await #expect(throws: Failure.self) { try await cache.value(for: "a") { throw Failure() } }
        #expect(try await cache.value(for: "a") { 2 } == 2)
    }

    @Test("an entry that this node invalidates is queried again at once")
    func forget() async throws {
        let cache = FreshCache<String, Int>(maximumAge: .milliseconds(500))
        _ = try await cache.value(for: "a") { 1 }
        cache.forget("a")
        #expect(try await cache.value(for: "a") { 2 } == 2)
    }

    @Test(
        "while the change feed is up an entry is valid until it is invalidated or reaches its longest age"
    )
    func heard() async throws {
        let clock = Clock()
        let cache = FreshCache<String, Int>(
            maximumAge: .milliseconds(500),
            longestAge: .seconds(60), isHeard: { _ in true }, now: { clock.now })
        #expect(cache.warm("a") == nil)
        _ = try await cache.value(for: "a") { 1 }
        clock.advance(.seconds(59))
        #expect(cache.warm("a") == 1)
        #expect(try await cache.value(for: "a") { 2 } == 1)
        cache.forget("a")
        #expect(cache.warm("a") == nil)
        _ = try await cache.value(for: "a") { 3 }
        clock.advance(.seconds(60))
        #expect(cache.warm("a") == nil)
        #expect(try await cache.value(for: "a") { 4 } == 4)
    }

    @Test("without the change feed entries are queried again; once it is restored, entries are valid again")
    func unheard() async throws {
        let clock = Clock()
        let isHeard = Mutex(true)
        let cache = FreshCache<String, Int>(
            maximumAge: .milliseconds(500), isHeard: { _ in isHeard.withLock { $0 } }, now: { clock.now })
        _ = try await cache.value(for: "a") { 1 }
        clock.advance(.seconds(1))
        isHeard.withLock { $0 = false }
        #expect(cache.warm("a") == nil)
        await #expect(throws: Failure.self) { try await cache.value(for: "a") { throw Failure() } }
        isHeard.withLock { $0 = true }
        #expect(cache.warm("a") == nil)
    }

    @Test("an answer to a query sent before a change arrived is not cached")
    func overtaken() async throws {
        let cache = FreshCache<String, Int>(maximumAge: .milliseconds(500), isHeard: { _ in true })
        let (asked, changed) = (AsyncStream.makeStream(of: Void.self), AsyncStream.makeStream(of: Void.self))
        async let before = cache.value(for: "a") {
            asked.continuation.finish()
            for await _ in changed.stream {}
            return 1
        }
        for await _ in asked.stream {}
        cache.forget("a")
        #expect(try await cache.value(for: "a") { 2 } == 2)
        cache.forget(where: { $0 == "a" })
        changed.continuation.finish()
        #expect(try await before == 1)
        #expect(cache.warm("a") == nil)
        #expect(try await cache.value(for: "a") { 3 } == 3)
    }
}
