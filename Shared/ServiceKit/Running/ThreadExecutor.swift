import Basics
import Dispatch
import Synchronization

/// Runs the code of tasks on one thread of its own, in the order in which they are ready.
final class ThreadExecutor: TaskExecutor {
    private let jobs = Mutex<[UnownedJob]>([])
    private let available = DispatchSemaphore(value: 0)

    /// The thread never ends.
    /// - Parameters: as of ``Basics/SystemThread``.
    init(named name: String, niceness: Int32) {
        SystemThread.start(named: name, niceness: niceness) { [self] in
            while true {
                available.wait()
                // In their order; seldom more than a few.
                let job = jobs.withLock { $0.removeFirst() }
                job.runSynchronously(on: asUnownedTaskExecutor())
            }
        }
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        jobs.withLock { $0.append(job) }
        available.signal()
    }
}
