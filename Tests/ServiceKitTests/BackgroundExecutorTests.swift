import Foundation
import Testing

@testable import ServiceKit

@Suite struct BackgroundExecutorTests {
    /// Of the thread that calls.
    private var niceness: Int32 {
        get async { getpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0) }
    }

    @Test("a task's own code runs on a thread that stands back, in its order, and elsewhere before and after")
    func standsBack() async {
        let before = await niceness
        let (inside, order) = await withTaskExecutorPreference(BackgroundExecutor.shared) {
            var order: [Int] = []
            for number in 0..<100 {
                order.append(number)
                await Task.yield()
            }
            return (await niceness, order)
        }
        #expect(inside == before + BackgroundExecutor.niceness)
        #expect(order == Array(0..<100))
        #expect(await niceness == before)
    }
}
