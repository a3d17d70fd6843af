import Basics
import Contracts
import Foundation
import Synchronization

/// A few threads for work that would block Swift's cooperative pool, with a bounded queue before them (``WorkQueue``), in which no tenant's
/// work waits for all that another tenant has brought.
final class WorkerThreads: Sendable {
    private struct Job {
        let run: @Sendable () -> Void
        let refuse: @Sendable (any Error) -> Void
    }

    private struct State {
        var waiting: WorkQueue<TenantID?, Job>
        var nextID: UInt64 = 0
        var started = false
    }

    private let name: String
    private let count: Int
    private let state: Mutex<State>
    private let available = DispatchSemaphore(value: 0)

    /// The threads start with the first job.
    init(name: String, count: Int, maximumWaiting: Int) {
        self.name = name
        self.count = count
        state = Mutex(State(waiting: WorkQueue(capacity: maximumWaiting)))
    }

    /// Runs `work` on one of the threads. A job whose task is cancelled while it waits is taken out of the queue; one that
    /// runs is finished.
    ///
    /// - Parameter tenant: whose work it is; nil: the platform's own.
    /// - Throws: ``PasswordHashError`` `busy`, at once or while the job waits, when too many wait and the tenant has no fewer than others.
    func run<Output: Sendable>(
        of tenant: TenantID?, _ work: @escaping @Sendable () throws -> Output
    ) async throws -> Output {
        let id = state.withLock { state in
            state.nextID += 1
            return state.nextID
        }
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Output, any Error>) in
                let job = Job(
                    run: { continuation.resume(with: Result { try work() }) },
                    refuse: { continuation.resume(throwing: $0) })
                enqueue(job, id, of: tenant)
            }
        } onCancel: {
            state.withLock { $0.waiting.remove(id) }?.refuse(CancellationError())
        }
    }

    var waitingCount: Int { state.withLock { $0.waiting.count } }

    private func enqueue(_ job: Job, _ id: UInt64, of tenant: TenantID?) {
        // Cancellation before this point found nothing to take out of the queue.
        if Task.isCancelled { return job.refuse(CancellationError()) }
        let (refused, starts) = state.withLock { state in
            let refused = state.waiting.add(job, id, of: tenant)
            defer { state.started = true }
            return (refused, !state.started)
        }
        refused?.refuse(PasswordHashError(.busy, "Too many passwords are being checked."))
        if starts { start() }
        available.signal()
    }

    private func start() {
        for number in 1...count {
            SystemThread.start(named: "\(name)-\(number)", stackBytes: 512 << 10) { [self] in
                while true {
                    available.wait()
                    // nil when the job was cancelled or turned away meanwhile.
                    state.withLock { $0.waiting.next() }?.run()
                }
            }
        }
    }
}
