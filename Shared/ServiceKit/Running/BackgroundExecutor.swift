import Basics
import Foundation
import Synchronization

/// A thread that stands back for all others, for tasks with much to compute that somebody waits seconds for: what others wait
/// milliseconds for goes first, on each core.
///
/// `withTaskExecutorPreference(BackgroundExecutor.shared) { … }` runs a task's own code there.
public final class BackgroundExecutor: TaskExecutor {
    public static let shared = BackgroundExecutor()

    /// Of the thread: with 10 it gets about a tenth of a core that one other wants whole, and all of one that nobody wants.
    public static let niceness: Int32 = 10

    private let jobs = Mutex<[UnownedJob]>([])
    private let available = DispatchSemaphore(value: 0)

    private init() {
        SystemThread.start(named: "background", niceness: Self.niceness) { [self] in
            while true {
                available.wait()
                // In their order; seldom more than a few.
                let job = jobs.withLock { $0.removeFirst() }
                job.runSynchronously(on: asUnownedTaskExecutor())
            }
        }
    }

    public func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        jobs.withLock { $0.append(job) }
        available.signal()
    }
}
