import Foundation
import Testing

@testable import ServiceKit

@Suite struct BackgroundExecutorTests {
    /// Of the thread that calls.
    private var niceness: Int32 {
        get async { getpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0) }
    }

    @Test("a task's own code runs on a thread that stands back, and elsewhere before and after")
    func standsBack() async {
        let before = await niceness
        let inside = await withTaskExecutorPreference(BackgroundExecutor.shared) {
            await Task.yield()
            return await niceness
        }
        #expect(inside == before + BackgroundExecutor.niceness)
        #expect(await niceness == before)
    }
}
