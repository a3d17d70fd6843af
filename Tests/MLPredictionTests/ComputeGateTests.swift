import Synchronization
import TestSupport
import Testing

@testable import MLPrediction

@Suite(.timeLimit(.minutes(5))) struct ComputeGateTests {
    private final class Record: Sendable {
        let inside = Mutex(0)
        let most = Mutex(0)
        let entered = Mutex<[Int]>([])

        func enter(_ number: Int) {
            entered.withLock { $0.append(number) }
            let now = inside.withLock { inside in
                inside += 1
                return inside
            }
            most.withLock { $0 = max($0, now) }
        }

        func leave() { inside.withLock { $0 -= 1 } }
    }

    @Test("a gate lets as many through at once as it may, and the others in their order")
    func order() async throws {
        let gate = ComputeGate(atOnce: 2)
        let record = Record()
        let opened = (0..<6).map { _ in Signal() }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<6 {
                group.addTask { @Sendable in
                    await gate.pass {
                        record.enter(number)
                        await opened[number].wait()
                        record.leave()
                    }
                }
                // Each has come before the next does.
                try await waitUntil("\(number) has come") { gate.waiting + record.inside.withLock { $0 } > number }
            }
            #expect(record.entered.withLock { $0 } == [0, 1])
            #expect(gate.waiting == 4)
            for number in 0..<6 {
                opened[number].set()
                try await waitUntil("the next has entered") {
                    record.entered.withLock { $0.count } == min(number + 3, 6)
                }
            }
        }
        #expect(record.most.withLock { $0 } == 2)
        #expect(record.entered.withLock { $0 } == Array(0..<6))
        #expect(gate.waiting == 0)
    }

    @Test("a failed computation leaves its place to the next")
    func failure() async {
        let gate = ComputeGate(atOnce: 1)
        for _ in 0..<3 {
            await #expect(throws: CancellationError.self) { try await gate.pass { throw CancellationError() } }
        }
        #expect(await gate.pass { true })
    }
}
