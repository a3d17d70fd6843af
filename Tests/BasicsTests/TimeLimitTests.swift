import Basics
import Testing

@Suite("A time limit", .timeLimit(.minutes(2)))
struct TimeLimitTests {
    private struct Trouble: Error {}

    /// No pause of this ends by itself.
    private static let never: @Sendable (Duration) async throws -> Void = { _ in
        try await Task.sleep(for: .seconds(86_400))
    }

    @Test("work that ends in time gives its result, or its error")
    func inTime() async throws {
        #expect(await withTimeLimit(.seconds(1), sleep: Self.never) { 7 } == 7)
        #expect(await withTimeLimit(.seconds(1), sleep: Self.never) { Int?.none } == .some(nil))
        await #expect(throws: Trouble.self) {
            try await withTimeLimit(.seconds(1), sleep: Self.never) { () throws(Trouble) -> Int in throw Trouble() }
        }
    }

    @Test("work that takes longer is cancelled, and there is no result")
    func late() async throws {
        let ended = AsyncStream.makeStream(of: Void.self)
        let result: Void? = await withTimeLimit(.seconds(1), sleep: { _ in }) {
            try? await Self.never(.zero)
            ended.continuation.finish()
        }
        for await _ in ended.stream {}
        #expect(result == nil)
    }

    @Test("a cancelled caller gets the error of the cancelled work, not a missing result")
    func cancelled() async {
        let task = Task { try await withTimeLimit(.seconds(3_600)) { try await Self.never(.zero) } }
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
    }
}
