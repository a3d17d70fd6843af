import Basics
import Foundation
import Synchronization
import Testing

@testable import Forecasting

/// A history is the same however its changes were cut into batches, and its searches and medians are what plain code finds.
@Suite struct HistoryBatchTests {
    private func history(_ changes: [HistoryChange], inBatchesOf size: Int) -> History {
        var history = History()
        for start in stride(from: 0, to: changes.count, by: size) {
            history.apply(changes[start..<min(changes.count, start + size)])
        }
        return history
    }

    private func features(_ history: History, withPlan: Bool) -> [UInt32] {
        let schema = FeatureSchema(withPlan: withPlan, labelKeys: ["priority", "team"])
        return history.allocations.flatMap {
            FeatureBuilder(schema: schema, history: history).values(Decision($0)).map(\.bitPattern)
        }
    }

    @Test("changes one by one, some at a time or all at once make the same history", arguments: [true, false])
    func batches(withPlan: Bool) {
        let changes = Company(people: 3).changes(500)
        let expected = features(history(changes, inBatchesOf: 1), withPlan: withPlan)
        #expect(!expected.isEmpty)
        for size in [2, 7, 100, changes.count] {
            #expect(features(history(changes, inBatchesOf: size), withPlan: withPlan) == expected)
        }
    }

    @Test("changes taken in one by one and arranged once make the same history, and the intake begins anew")
    func intake() {
        let changes = Company(people: 3).changes(500)
        var intake = HistoryIntake()
        for change in changes { intake.take(change) }
        #expect(features(intake.finish(), withPlan: true) == features(history(changes, inBatchesOf: 1), withPlan: true))
        #expect(intake.finish().allocationCount == 0)
    }

    @Test("series arranged on all cores are those arranged one after the other")
    func largeBatch() {
        // So many rows that the series are cut into several pieces.
        let changes = Company(people: 40).allocations(4_000).map(HistoryChange.allocation)
        let whole = history(changes, inBatchesOf: changes.count)
        let grown = history(changes, inBatchesOf: 400)
        let schema = FeatureSchema(withPlan: true, labelKeys: ["priority", "team"])
        let computed = whole.features(schema: schema, asOf: .infinity).values.map(\.bitPattern)
        #expect(computed == grown.features(schema: schema, asOf: .infinity).values.map(\.bitPattern))
        var intake = HistoryIntake()
        for change in changes { intake.take(change) }
        let own = intake.finish(on: .own)
        #expect(computed == own.features(schema: schema, asOf: .infinity).values.map(\.bitPattern))
    }

    @Test("work of the calling thread alone is done by no other")
    func ownCore() {
        let threads = Mutex<[pthread_t]>([])
        Cores.own.perform(1_000) { _ in threads.withLock { $0.append(pthread_self()) } }
        #expect(threads.withLock { $0 } == [pthread_t](repeating: pthread_self(), count: 1_000))
        let done = Mutex<Set<Int>>([])
        Cores.all.perform(1_000) { number in done.withLock { _ = $0.insert(number) } }
        #expect(done.withLock { $0 } == Set(0..<1_000))
    }

    @Test("features of many rows at once are those of each alone")
    func manyOrOne() {
        let history = Company().history(300)
        let schema = FeatureSchema(withPlan: true, labelKeys: ["priority", "team"])
        let alone = history.learningRows(asOf: .infinity).flatMap {
            FeatureBuilder(schema: schema, history: history).values($0.decision).map(\.bitPattern)
        }
        #expect(history.features(schema: schema, asOf: .infinity).values.map(\.bitPattern) == alone)
    }

    @Test("features block by block are the rows of the matrix, each once")
    func blocks() {
        // Several tasks of several blocks each, the last of both cut short.
        let history = Company(people: 40).history(4_500)
        let schema = FeatureSchema(withPlan: true, labelKeys: ["priority", "team"])
        let blocks = Mutex<[Int: [UInt32]]>([:])
        history.forEachBlockOfFeatures(schema: schema, asOf: .infinity) { firstRow, block in
            let bits = block.indices.map { block[$0].bitPattern }
            let isFirst = blocks.withLock { $0.updateValue(bits, forKey: firstRow) == nil }
            #expect(isFirst)
        }
        let inOrder = blocks.withLock { $0.sorted { $0.key < $1.key } }
        let whole = history.features(schema: schema, asOf: .infinity)
        #expect(inOrder.count > 2)
        // Compared outside: an expectation that fails would look for the difference of two long arrays.
        let isSame = inOrder.flatMap(\.value) == whole.values.map(\.bitPattern)
        #expect(isSame)
        #expect(
            inOrder.map(\.key)
                == inOrder.indices.map { index in
                    inOrder[..<index].reduce(0) { $0 + $1.value.count } / whole.columns
                })
    }

    @Test("a copy of a history does not change with it")
    func copies() {
        var history = Company().history(200)
        let copy = history
        let before = features(copy, withPlan: true)
        for allocation in copy.allocations.prefix(50) {
            history.apply(.allocationRemoved(id: allocation.id))
        }
        var other = copy.allocations[120]
        other.actualHours = 77
        history.apply(.allocation(other))
        #expect(features(copy, withPlan: true) == before)
        #expect(features(history, withPlan: true) != before)
    }

    @Test("the running median is that of the latest values")
    func runningMedian() {
        var random = SeededGenerator(seed: 5)
        var values: [Double] = []
        var running = RecentMedian(size: 9)
        #expect(running.median.isNaN)
        for _ in 0..<500 {
            // Few different ones, so that many are equal.
            values.append(Double(random.below(12)))
            running.push(values[values.count - 1])
            let sorted = values.suffix(9).sorted()
            let expected = (sorted[(sorted.count - 1) / 2] + sorted[sorted.count / 2]) / 2
            #expect(running.median == expected)
        }
    }
}
