import Synchronization

/// One running question, whose answer any number of tasks wait for.
public final class Flight<Value: Sendable>: Sendable {
    private struct State {
        /// nil while the question is under way.
        var answer: Result<Value, any Error>?
        var waiting: [Int: CheckedContinuation<Value, any Error>] = [:]
        var waiterCount = 0
    }

    private let state = Mutex(State())

    /// Begins at once, in a task of its own: the first caller may hang up while others wait for the same answer.
    /// - Parameter landing: called after `question` and before any waiting task gets its answer.
    public init(
        _ question: @escaping @Sendable () async throws -> Value,
        landing: @escaping @Sendable (Flight<Value>, Result<Value, any Error>) -> Void = { _, _ in }
    ) {
        Task {
            let answer: Result<Value, any Error>
            do { answer = .success(try await question()) } catch { answer = .failure(error) }
            landing(self, answer)
            land(answer)
        }
    }

    /// The answer.
    /// - Throws: what the question throws; `CancellationError` at once when the waiting task is cancelled. The question
    ///   then goes on for the other tasks, and for later ones.
    public var value: Value {
        get async throws {
            let number = state.withLock { state in
                state.waiterCount += 1
                return state.waiterCount
            }
            return try await withTaskCancellationHandler {
                try await withCheckedThrowingContinuation { wait($0, number) }
            } onCancel: {
                state.withLock { $0.waiting.removeValue(forKey: number) }?.resume(throwing: CancellationError())
            }
        }
    }

    private func wait(_ waiter: CheckedContinuation<Value, any Error>, _ number: Int) {
        let answer = state.withLock { state -> Result<Value, any Error>? in
            if let answer = state.answer { return answer }
            // A cancellation before this point found no waiter to resume.
            if Task.isCancelled { return .failure(CancellationError()) }
            state.waiting[number] = waiter
            return nil
        }
        if let answer { waiter.resume(with: answer) }
    }

    private func land(_ answer: Result<Value, any Error>) {
        let waiting = state.withLock { state in
            state.answer = answer
            defer { state.waiting = [:] }
            return state.waiting.values
        }
        for waiter in waiting { waiter.resume(with: answer) }
    }
}
