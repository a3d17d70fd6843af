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
        orderedSlots().compactMap { slot in
            let entry = entries[Int(slot)]
            guard let hours = entry.hours, let completed = entry.allocation.completedAt, completed < moment,
                includingAssumed || entry.source != .planned
            else { return nil }
            return LearningRow(
                id: entry.allocation.id, slot: slot, decision: Decision(entry.allocation), completedAt: completed,
                hours: hours, planned: max(0, entry.allocation.plannedHours))
        }
    }

    /// Features of many decisions.
    func features(of rows: [LearningRow], schema: FeatureSchema) -> FeatureMatrix {
        let builder = FeatureBuilder(schema: schema, history: self)
        let columns = schema.features.count
        var sink = ValueSink()
        sink.values.reserveCapacity(rows.count * columns)
        for row in rows { builder.write(row.decision, groups: entries[Int(row.slot)].groups, into: &sink) }
        return FeatureMatrix(values: sink.values, columns: columns)
    }
}
