import Foundation
import Synchronization
import Testing

@testable import ServiceKit

@Suite struct BackgroundWorkTests {
    /// Of the thread that calls.
    private static var ownNiceness: Int32 { getpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0) }

    private var niceness: Int32 {
        get async { Self.ownNiceness }
    }

    @Test("a task's own code runs on a thread that stands back, and elsewhere before and after")
    func standsBack() async {
        let before = await niceness
        let inside = await BackgroundWork.run {
            await Task.yield()
            return await niceness
        }
        #expect(inside == before + BackgroundWork.niceness)
        #expect(await niceness == before)
    }

    /// Notes how nice the threads are that hand it tasks.
    private final class Noting: TaskExecutor {
        let handing = Mutex<[Int32]>([])

        func enqueue(_ job: consuming ExecutorJob) {
            handing.withLock { $0.append(BackgroundWorkTests.ownNiceness) }
            let job = UnownedJob(job)
            DispatchQueue.global().async { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
        }
    }

    @Test("no thread that stands back hands a task to the pool, whose new threads would be as nice")
    func handsBack() async throws {
        let pool = Noting()
        try await withTaskExecutorPreference(pool) {
            await BackgroundWork.run { await Task.yield() }
            try await ComputeThread.run(named: "test", isBackground: true) {}
            await Task.yield()
        }
        let handing = pool.handing.withLock { $0 }
        #expect(handing.count > 2)
        #expect(handing.allSatisfy { $0 == Self.ownNiceness })
    }
}
