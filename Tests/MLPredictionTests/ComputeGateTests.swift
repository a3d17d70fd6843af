import Synchronization
import Testing

@testable import MLPrediction

@Suite struct ComputeGateTests {
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
    func order() async {
        let gate = ComputeGate(atOnce: 2)
        let record = Record()
        let (opened, opening) = AsyncStream.makeStream(of: Void.self)
        let held = Task { for await _ in opened { return } }
        await withTaskGroup { group in
            for number in 0..<6 {
                group.addTask { @Sendable in
                    await gate.pass {
                        record.enter(number)
                        await held.value
                        record.leave()
                    }
                }
                // Each has come before the next does.
                while gate.waiting + record.inside.withLock({ $0 }) <= number { await Task.yield() }
            }
            #expect(record.entered.withLock { $0 } == [0, 1])
            #expect(gate.waiting == 4)
            opening.finish()
        }
        #expect(record.most.withLock { $0 } == 2)
        // Two leave at the same moment, so that their successors may overtake each other by one.
        #expect(record.entered.withLock { $0 }.enumerated().allSatisfy { abs($0 - $1) <= 1 })
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
