import Dispatch
import Foundation
import Synchronization

extension History {
    /// The features of every allocation finished before `moment`, each as of its own decision, in the order of decisions.
    public func features(schema: FeatureSchema, asOf moment: Double) -> FeatureMatrix {
        features(of: learningSlots(asOf: moment), schema: schema)
    }

    /// The same rows block by block, for readers that need each row only once: a million rows take the memory of one block.
    /// - Parameter body: gets the number of a block's first row and the block, row-major, as wide as the schema. Called on all
    ///   cores at once, in any order.
    public func forEachBlockOfFeatures(
        schema: FeatureSchema, asOf moment: Double, _ body: @Sendable (_ firstRow: Int, Span<Float>) -> Void
    ) {
        let work = FeatureWork(history: self, slots: learningSlots(asOf: moment), schema: schema)
        work.onAllCores { rows, lookup in
            withUnsafeTemporaryAllocation(of: Float.self, capacity: FeatureWork.rowsPerBlock * work.columns) { block in
                guard let target = block.baseAddress else { return }
                for first in stride(from: rows.lowerBound, to: rows.upperBound, by: FeatureWork.rowsPerBlock) {
                    let part = first..<min(first + FeatureWork.rowsPerBlock, rows.upperBound)
                    work.write(part, looking: &lookup, to: target)
                    body(first, UnsafeBufferPointer(start: target, count: part.count * work.columns).span)
                }
            }
        }
    }

    func features(of rows: [LearningRow], schema: FeatureSchema) -> FeatureMatrix {
        features(of: rows.map(\.slot), schema: schema)
    }

    private func features(of slots: [Int32], schema: FeatureSchema) -> FeatureMatrix {
        let work = FeatureWork(history: self, slots: slots, schema: schema)
        let values = [Float](unsafeUninitializedCapacity: slots.count * work.columns) { buffer, count in
            nonisolated(unsafe) let target = buffer.baseAddress
            work.onAllCores { rows, lookup in
                guard let target else { return }
                work.write(rows, looking: &lookup, to: target + rows.lowerBound * work.columns)
            }
            count = slots.count * work.columns
        }
        return FeatureMatrix(values: values, columns: work.columns)
    }
}

/// Features of many decisions. Each row is on its own, so that it does not matter who computes which.
/// A class, so that handing it from core to core counts one reference and not one for each part of the history.
private final class FeatureWork: Sendable {
    let history: History
    let slots: [Int32]
    let columns: Int
    private let builder: FeatureBuilder
    private let records: RecordsByFlow

    /// As many as stay in a core's cache until they are read.
    static let rowsPerBlock = 256
    /// As many as make a core's share worth its while, and few enough for all cores to end together.
    private static let rowsPerTask = 2_048

    init(history: History, slots: [Int32], schema: FeatureSchema) {
        self.history = history
        self.slots = slots
        columns = schema.columns.count
        builder = FeatureBuilder(schema: schema, history: history)
        records = history.recordsByFlow()
    }

    /// Calls `body` with all rows, some at a time. Each core sweeps through all of time, and takes the next rows that no other has.
    func onAllCores(_ body: @Sendable (Range<Int>, inout HistoryLookup) -> Void) {
        let taken = Atomic(0)
        let tasks = (slots.count + Self.rowsPerTask - 1) / Self.rowsPerTask
        DispatchQueue.concurrentPerform(iterations: min(ProcessInfo.processInfo.activeProcessorCount, tasks)) { _ in
            history.read { reader in
                var lookup = HistoryLookup(reader, withPlan: builder.schema.withPlan, sweeping: true)
                while true {
                    let first = taken.wrappingAdd(1, ordering: .relaxed).oldValue * Self.rowsPerTask
                    guard first < slots.count else { break }
                    body(first..<min(first + Self.rowsPerTask, slots.count), &lookup)
                }
            }
        }
    }

    /// Writes the rows to where `target` has room for them.
    func write(_ rows: Range<Int>, looking lookup: inout HistoryLookup, to target: UnsafeMutablePointer<Float>) {
        history.entries.withUnsafeBufferPointer { entries in
            for first in stride(from: rows.lowerBound, to: rows.upperBound, by: HistoryLookup.batch) {
                for row in first..<min(first + HistoryLookup.batch, rows.upperBound) {
                    let entry = entries.baseAddress.unsafelyUnwrapped + Int(slots[row])
                    lookup.add(entry.pointee.groups, at: entry.pointee.allocation.decidedAt)
                }
                lookup.forEach { number, views in
                    let entry = entries.baseAddress.unsafelyUnwrapped + Int(slots[first + number])
                    let decision = DecisionNumbers(
                        entry.pointee.allocation,
                        project: records.dates(
                            ofProject: Int(entry.pointee.groups.projectFlow), at: entry.pointee.allocation.decidedAt),
                        weeklyCapacityHours: records.weeklyHours(
                            ofPerson: Int(entry.pointee.groups.personFlow), at: entry.pointee.allocation.decidedAt),
                        readsHoursPerDay: builder.schema.usesHoursPerDay)
                    builder.write(
                        decision, entry.pointee.groups.labels.span, views,
                        to: target + (first + number - rows.lowerBound) * columns)
                }
            }
        }
    }
}
