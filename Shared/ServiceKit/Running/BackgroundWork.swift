/// Work with much to compute that somebody waits seconds for: what others wait milliseconds for goes first, on each core.
public enum BackgroundWork {
    /// Of the threads: with 10 one gets about a tenth of a core that one other wants whole, and all of one that nobody wants.
    public static let niceness: Int32 = 10

    private static let executor = ThreadExecutor(named: "background", niceness: niceness)
    private static let wayBack = ThreadExecutor(named: "foreground", niceness: 0)

    /// Runs a task's own code on one thread that stands back for all others.
    /// - Throws: what `body` throws.
    public static func run<Value, Failure: Error>(
        isolation: isolated (any Actor)? = #isolation, _ body: () async throws(Failure) -> Value
    ) async throws(Failure) -> Value {
        try await leaving { () async throws(Failure) -> Value in
            try await withTaskExecutorPreference(executor, operation: body)
        }
    }

    /// Lets the task go back to Swift's pool by a thread that stands back for nobody. Where the pool lacks a thread, the one that hands
    /// it a task makes another, which is born as nice as its maker. Without privileges the new thread would stay so, and with it the
    /// requests that it goes on to answer.
    static func leaving<Value, Failure: Error>(
        isolation: isolated (any Actor)? = #isolation, _ body: () async throws(Failure) -> Value
    ) async throws(Failure) -> Value {
        try await withTaskExecutorPreference(wayBack, operation: body)
    }
}
