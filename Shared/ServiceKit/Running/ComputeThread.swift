import Foundation

/// Runs long computations on a thread of their own, so that minutes of arithmetic never hold a thread of Swift's
/// cooperative pool, which has only as many as there are cores.
enum ComputeThread {
    static func run<Value: Sendable>(named name: String, _ body: @escaping @Sendable () throws -> Value) async throws
        -> Value
    {
        try await withCheckedThrowingContinuation { continuation in
            let thread = Thread { continuation.resume(with: Result(catching: body)) }
            thread.name = name
            thread.stackSize = 8 << 20
            thread.start()
        }
    }
}
