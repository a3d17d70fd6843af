import Foundation
import ServiceKit
import Synchronization
import Testing

@Suite struct ComputeBatchesTests {
    private struct Refused: Error {}

    @Test("values are worked on in their order, a batch at a time, the rest at the end")
    func batches() async throws {
        let seen = Mutex<[[Int]]>([])
        var batches = ComputeBatches<Int>(named: "test", of: 3) { batch in seen.withLock { $0.append(batch) } }
        for value in 0..<7 { try await batches.add(value) }
        #expect(seen.withLock { $0 } == [[0, 1, 2], [3, 4, 5]])
        try await batches.finish()
        try await batches.finish()
        #expect(seen.withLock { $0 } == [[0, 1, 2], [3, 4, 5], [6]])
    }

    @Test("what the work throws reaches the caller that adds")
    func errors() async throws {
        var batches = ComputeBatches<Int>(named: "test", of: 2) { _ in throw Refused() }
        try await batches.add(1)
        await #expect(throws: Refused.self) { try await batches.add(2) }
    }

    @Test("work that waits for a disk holds up no other task, on however many cores it waits")
    func blockedWork() async throws {
        let waiting = 2 * ProcessInfo.processInfo.activeProcessorCount
        let gate = Gate()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<waiting {
                group.addTask {
                    var batches = ComputeBatches<Int>(named: "test", of: 1) { _ in gate.wait() }
                    try await batches.add(1)
                }
            }
            group.addTask {
                // Another task goes on while all of them wait.
                while gate.arrived.load(ordering: .relaxed) < waiting { try await Task.sleep(for: .milliseconds(5)) }
                gate.open(for: waiting)
            }
            try await group.waitForAll()
        }
        #expect(gate.passed.load(ordering: .relaxed) == waiting)
    }

    private final class Gate: Sendable {
        let arrived = Atomic(0)
        let passed = Atomic(0)
        private let semaphore = DispatchSemaphore(value: 0)

        /// Ends by itself, so that the test fails and does not hang when the pool is blocked.
        func wait() {
            arrived.wrappingAdd(1, ordering: .relaxed)
            if semaphore.wait(timeout: .now() + 60) == .success { passed.wrappingAdd(1, ordering: .relaxed) }
        }

        func open(for count: Int) { for _ in 0..<count { semaphore.signal() } }
    }
}
