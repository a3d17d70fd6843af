import Contracts
import Foundation
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

    @Test("long computations share as many threads as work at once, and these end with what they stood by for")
    func standingThreads() async throws {
        final class Used: Sendable {
            let threads = Mutex<Set<pthread_t>>([])
            let begun = Mutex(0)
        }
        struct Held { weak var queue: StandingThreads.Queue? }
        let used = Used()
        var threads: StandingThreads? = StandingThreads(most: 2)
        let held = Held(queue: threads?.queue)
        for number in 0..<40 {
            let answer = try await threads?.run(named: "test") {
                used.threads.withLock { _ = $0.insert(pthread_self()) }
                return number
            }
            #expect(answer == number)
        }
        await #expect(throws: CancellationError.self) {
            try await threads?.run(named: "test") { throw CancellationError() }
        }
        try await withThrowingTaskGroup { [threads] group in
            for _ in 0..<2 {
                group.addTask {
                    // Neither ends before the other has begun.
                    try await threads?.run(named: "test") {
                        used.begun.withLock { $0 += 1 }
                        while used.begun.withLock({ $0 }) < 2 { sched_yield() }
                    }
                }
            }
            try await group.waitForAll()
        }
        #expect((1...2).contains(used.threads.withLock { $0.count }))
        #expect(held.queue != nil)
        threads = nil
        try await waitUntil("the threads have ended") { held.queue == nil }
    }

    @Test("many items are worked on in parts, others having their turn between; a few need no turn")
    func parts() async throws {
        let gate = ComputeGate(atOnce: 1)
        let record = Record()
        let (opened, opening) = AsyncStream.makeStream(of: Void.self)
        let held = Task { for await _ in opened { return } }
        try await withThrowingTaskGroup { group in
            group.addTask {
                await gate.pass {
                    record.enter(-2)
                    await held.value
                }
            }
            while record.entered.withLock({ $0.isEmpty }) { await Task.yield() }
            let few = try await gate.map(named: "test", [1, 2], few: 2) { $0 * 2 }
            #expect(few == [2, 4])

            group.addTask {
                let doubled = try await gate.map(named: "test", Array(0..<40), few: 2) { item in
                    record.enter(item)
                    return item * 2
                }
                #expect(doubled == (0..<40).map { $0 * 2 })
            }
            while gate.waiting < 1 { await Task.yield() }
            group.addTask { await gate.pass { record.enter(-1) } }
            while gate.waiting < 2 { await Task.yield() }
            opening.finish()
            try await group.waitForAll()
        }
        let expected: [Int] = [[-2], Array(0..<20), [-1], Array(20..<40)].flatMap(\.self)
        #expect(record.entered.withLock { $0 } == expected)
    }

    @Test("many predictions are written to the log and read from it when their turn comes")
    func log() async throws {
        try await PredictionDatabase.with { fixture in
            let gate = ComputeGate(atOnce: 1)
            let log = PostgresPredictionLog(database: fixture.database, gate: gate)
            let (tenant, person) = (TenantID(), EmployeeID())
            let predictions = (0..<60).map { _ in
                NewPrediction(
                    request: PredictionRequest(employeeId: person, projectId: ProjectID(), plannedHours: 8),
                    prediction: Prediction(
                        predictionId: PredictionID(), recommendedAllocation: 20, allocationNote: nil, estimatedHours: 8,
                        successProbability: 0.5, confidence: 60, interval: nil, intervals: [], explanation: [],
                        model: PredictionModel(id: nil, version: 0, kind: "baseline"), alternativeOptions: [],
                        asOf: Date()), createdAt: Date())
            }
            let forecasts = PersonForecasts(database: fixture.database, gate: gate)
            let question = PersonForecasts.Question(employee: person, from: nil, to: nil)

            let written = try await afterATurn(at: gate) {
                try await log.append(predictions, key: nil, requestedBy: "u", tenant: tenant).count
            }
            let read = try await afterATurn(at: gate) {
                try await log.records(PredictionFilter(), tenant: tenant, after: nil, limit: 100).count
            }
            let exported = try await afterATurn(at: gate) {
                try await forecasts.forecasts(question, after: nil, tenant: tenant).count
            }
            let open = try await afterATurn(at: gate) {
                try await log.awaiting(
                    .first, tenant: tenant, asked: Date(timeIntervalSince1970: 0)..<Date.distantFuture, after: nil
                ).count
            }
            #expect(written == 60 && read == 60 && exported == 60 && open == 60)
        }
    }

    @Test("alarms are looked for when their turn comes")
    func drift() async throws {
        try await PredictionDatabase.with { fixture in
            let gate = ComputeGate(atOnce: 1)
            let mirrors = TenantMirrors { tenant in
                TenantMirror(
                    tenant: tenant, source: ScriptedFeed(TrainedModel.history.lines), freshness: Freshness())
            }
            let feed = DriftFeed(database: fixture.database, mirrors: mirrors, gate: gate)
            let tenant = TenantID()
            let alarms = try await afterATurn(at: gate) {
                try await feed.lookAtRecent(tenant)
                return try await feed.notices.kept(
                    in: Date(timeIntervalSince1970: 0)..<Date(), model: nil, of: tenant)
            }
            #expect(alarms.isEmpty)
        }
    }

    /// Holds the gate's one place until `body` waits for it.
    private func afterATurn<Value: Sendable>(
        at gate: ComputeGate, _ body: @escaping @Sendable () async throws -> Value
    ) async throws -> Value {
        let work = await gate.pass {
            let work = Task { try await body() }
            while gate.waiting == 0 { await Task.yield() }
            return work
        }
        return try await work.value
    }
}
