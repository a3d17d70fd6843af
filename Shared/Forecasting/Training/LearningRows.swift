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
    var evidence: DecisionEvidence = .observed
    var logHours: Double { log(max(hours, HoursScale.least)) }
    var logPlan: Double { log(max(planned, HoursScale.least)) }
    /// Log ratio to the plan; cut where it is averaged so that one oddity cannot rule a fit.
    var logRatio: Double { logHours - logPlan }
    var success: Bool { hours <= planned }
}

extension LearningRow {
    init(_ entry: HistoryEntry, slot: Int32, completedBy moment: Double) {
        self.init(
            id: entry.allocation.id, slot: slot, decision: Decision(entry.allocation),
            completedAt: entry.allocation.completedAt ?? moment, hours: entry.hours ?? 0,
            planned: max(0, entry.allocation.plannedHours), evidence: entry.allocation.evidence ?? .observed)
    }
}

extension History {
    /// Finished allocations with hours, as of `moment`, by decision. Rows whose hours are assumed to be the plan
    /// come only when there is nothing else: they cannot tell a good plan from a bad one.
    func learningRows(asOf moment: Double, includingAssumed: Bool = false) -> [LearningRow] {
        learningSlots(asOf: moment, includingAssumed: includingAssumed).map {
            LearningRow(entries[Int($0)], slot: $0, completedBy: moment)
        }
    }

    /// Allocations to be asked about, by decision, whether anything is known of their outcome or not.
    func askedRows(where isAsked: (String) -> Bool) -> [LearningRow] {
        orderedSlots().filter { isAsked(entries[Int($0)].allocation.id) }.map {
            LearningRow(entries[Int($0)], slot: $0, completedBy: .infinity)
        }
    }

    func learningSlots(asOf moment: Double, includingAssumed: Bool = false) -> [Int32] {
        orderedSlots().filter { slot in
            guard let completed = entries[Int(slot)].allocation.completedAt, completed < moment else { return false }
            return entries[Int(slot)].hours != nil && (includingAssumed || entries[Int(slot)].source != .planned)
        }
    }
}
