import Foundation

/// Runs long computations on a thread of their own, so that minutes of arithmetic never hold a thread of Swift's
/// cooperative pool, which has only as many as there are cores.
public enum ComputeThread {
    /// - Parameter name: of the thread, as the system's tools show it.
    /// - Throws: what `body` throws. A cancelled caller still waits: `body` has to look for cancellation itself.
    public static func run<Value: Sendable>(
        named name: String, _ body: @escaping @Sendable () throws -> Value
    ) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            let thread = Thread { continuation.resume(with: Result(catching: body)) }
            thread.name = name
            thread.stackSize = 8 << 20
            thread.start()
        }
    }
}
