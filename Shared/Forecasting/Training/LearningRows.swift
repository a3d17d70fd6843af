import Dispatch
import Foundation

/// One finished allocation to learn from or to be judged on.
struct LearningRow: Sendable {
    var id: String
    var slot: Int32
    var decision: Decision
    var completedAt: Double
    var hours: Double
    /// 0 when there was no plan.
    var planned: Double
    var logHours: Double { log(max(hours, HoursScale.least)) }
    var logPlan: Double { log(max(planned, HoursScale.least)) }
    /// Log ratio to the plan; cut where it is averaged so that one oddity cannot rule a fit.
    var logRatio: Double { logHours - logPlan }
    var success: Bool { hours <= planned }
}

extension History {
    /// Finished allocations with hours, as of `moment`, by decision. Rows whose hours are assumed to be the plan
    /// come only when there is nothing else: they cannot tell a good plan from a bad one.
    func learningRows(asOf moment: Double, includingAssumed: Bool = false) -> [LearningRow] {
        learningSlots(asOf: moment, includingAssumed: includingAssumed).map { slot in
            let entry = entries[Int(slot)]
            return LearningRow(
                id: entry.allocation.id, slot: slot, decision: Decision(entry.allocation),
                completedAt: entry.allocation.completedAt ?? moment, hours: entry.hours ?? 0,
                planned: max(0, entry.allocation.plannedHours))
        }
    }

    private func learningSlots(asOf moment: Double, includingAssumed: Bool) -> [Int32] {
        orderedSlots().filter { slot in
            guard let completed = entries[Int(slot)].allocation.completedAt, completed < moment else { return false }
            return entries[Int(slot)].hours != nil && (includingAssumed || entries[Int(slot)].source != .planned)
        }
    }

    /// The features of every allocation finished before `moment`, each as of its own decision, in the order of decisions.
    public func features(schema: FeatureSchema, asOf moment: Double) -> FeatureMatrix {
        features(of: learningSlots(asOf: moment, includingAssumed: false), schema: schema)
    }

    func features(of rows: [LearningRow], schema: FeatureSchema) -> FeatureMatrix {
        features(of: rows.map(\.slot), schema: schema)
    }

    /// Features of many decisions, on all cores; each row is on its own, so their number changes nothing.
    private func features(of slots: [Int32], schema: FeatureSchema) -> FeatureMatrix {
        let columns = schema.columns.count
        let builder = FeatureBuilder(schema: schema, history: self)
        let block = 1_024
        let values = [Float](unsafeUninitializedCapacity: slots.count * columns) { buffer, count in
            nonisolated(unsafe) let target = buffer
            DispatchQueue.concurrentPerform(iterations: (slots.count + block - 1) / block) { index in
                guard let start = target.baseAddress else { return }
                read { reader in
                    var lookup = HistoryLookup(reader, withPlan: schema.withPlan, remembering: 1 << 12)
                    let end = min(slots.count, (index + 1) * block)
                    for first in stride(from: index * block, to: end, by: HistoryLookup.batch) {
                        for slot in slots[first..<min(end, first + HistoryLookup.batch)] {
                            let entry = entries[Int(slot)]
                            lookup.add(entry.groups, at: entry.allocation.decidedAt)
                        }
                        lookup.forEach { number, views in
                            let entry = entries[Int(slots[first + number])]
                            builder.write(
                                Decision(entry.allocation), entry.groups, views,
                                to: start + (first + number) * columns)
                        }
                    }
                }
            }
            count = slots.count * columns
        }
        return FeatureMatrix(values: values, columns: columns)
    }
}
