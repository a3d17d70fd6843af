import Basics
import Foundation
import Synchronization

/// A few threads for work that would block Swift's cooperative pool, with a bounded queue before them.
final class WorkerThreads: Sendable {
    private struct Job {
        let id: UInt64
        let run: @Sendable () -> Void
        let cancel: @Sendable () -> Void
    }

    private struct State {
        var waiting: [Job] = []
        var nextID: UInt64 = 0
        var started = false
    }

    private let name: String
    private let count: Int
    private let maximumWaiting: Int
    private let state = Mutex(State())
    private let available = DispatchSemaphore(value: 0)

    /// The threads start with the first job.
    init(name: String, count: Int, maximumWaiting: Int) {
        self.name = name
        self.count = count
        self.maximumWaiting = maximumWaiting
    }

    /// Runs `work` on one of the threads. A job whose task is cancelled while it waits is taken out of the queue; one that
    /// runs is finished.
    func run<Output: Sendable>(_ work: @escaping @Sendable () throws -> Output) async throws -> Output {
        let id = state.withLock { state in
            state.nextID += 1
            return state.nextID
        }
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Output, any Error>) in
                enqueue(
                    Job(
                        id: id, run: { continuation.resume(with: Result { try work() }) },
                        cancel: { continuation.resume(throwing: CancellationError()) }),
                    refused: {
                        continuation.resume(throwing: PasswordHashError(.busy, "Too many passwords are being checked."))
                    })
            }
        } onCancel: {
            cancel(id)
        }
    }

    var waitingCount: Int { state.withLock { $0.waiting.count } }

    private func enqueue(_ job: Job, refused: () -> Void) {
        // Cancellation before this point found nothing to take out of the queue.
        if Task.isCancelled { return job.cancel() }
        let (accepted, starts) = state.withLock { state in
            guard state.waiting.count < maximumWaiting else { return (false, false) }
            state.waiting.append(job)
            defer { state.started = true }
            return (true, !state.started)
        }
        guard accepted else { return refused() }
        if starts { start() }
        available.signal()
    }

    private func cancel(_ id: UInt64) {
        let job = state.withLock { state in
            state.waiting.firstIndex { $0.id == id }.map { state.waiting.remove(at: $0) }
        }
        job?.cancel()
    }

    private func start() {
        for number in 1...count {
            SystemThread.start(named: "\(name)-\(number)", stackBytes: 512 << 10) { [self] in
                while true {
                    available.wait()
                    // Empty when the job was cancelled meanwhile.
                    let job = state.withLock { $0.waiting.isEmpty ? nil : $0.waiting.removeFirst() }
                    job?.run()
                }
            }
        }
    }
}
