import Basics
import Dispatch
import Foundation
import Synchronization

/// Threads that stand by for long computations: work that takes less than a millisecond would spend a good part of it on making and
/// ending a thread of its own.
///
/// They are started when work first wants them, and end with this object.
final class StandingThreads: Sendable {
    /// What the threads hold, so that they do not keep alive what ends them.
    final class Queue: Sendable {
        fileprivate struct Job {
            let name: String
            let body: @Sendable () -> Void
        }

        fileprivate struct State {
            var jobs: [Job] = []
            var underWay = 0
            var threads = 0
        }

        fileprivate let state = Mutex(State())
        fileprivate let available = DispatchSemaphore(value: 0)
    }

    let queue = Queue()
    private let most: Int

    /// - Parameter most: threads.
    init(most: Int) { self.most = most }

    deinit {
        // Nobody waits for a job any more.
        for _ in 0..<queue.state.withLock({ $0.threads }) { queue.available.signal() }
    }

    /// - Parameter name: of the thread while it works on this, as the system's tools show it; at most 15 bytes.
    /// - Throws: what `body` throws. A cancelled caller still waits.
    func run<Value: Sendable>(
        named name: String, _ body: @escaping @Sendable () throws -> Value
    ) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            add(Queue.Job(name: name) { continuation.resume(with: Result(catching: body)) })
        }
    }

    private func add(_ job: Queue.Job) {
        let needsThread = queue.state.withLock { state in
            state.jobs.append(job)
            guard state.jobs.count + state.underWay > state.threads, state.threads < most else { return false }
            state.threads += 1
            return true
        }
        if needsThread { SystemThread.start(named: job.name) { [queue] in queue.work() } }
        queue.available.signal()
    }
}

extension StandingThreads.Queue {
    fileprivate func work() {
        var name: String?
        while true {
            available.wait()
            // Each job is signalled once, and each thread's end without a job.
            let job = state.withLock { state -> Job? in
                guard !state.jobs.isEmpty else { return nil }
                state.underWay += 1
                return state.jobs.removeFirst()
            }
            guard let job else { return }
            if job.name != name {
                name = job.name
                Thread.current.name = job.name
            }
            job.body()
            state.withLock { $0.underWay -= 1 }
        }
    }
}
