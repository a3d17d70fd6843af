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
    /// False where the hours follow from utilisation.
    var isRecorded = true
    var logHours: Double { log(max(hours, HoursScale.least)) }
    var logPlan: Double { log(max(planned, HoursScale.least)) }
    /// Log ratio to the plan; cut where it is averaged so that one oddity cannot rule a fit.
    var logRatio: Double { logHours - logPlan }
    /// Whether it was finished within its plan; nil without a plan or recorded hours: hours that follow from the plan cannot judge it.
    var success: Bool? { planned > 0 && isRecorded ? hours <= planned : nil }
}

extension LearningRow {
    init(_ entry: HistoryEntry, slot: Int32, completedBy moment: Double) {
        self.init(
            id: entry.allocation.id, slot: slot, decision: Decision(entry.allocation),
            completedAt: entry.allocation.completedAt ?? moment, hours: entry.hours ?? 0,
            planned: max(0, entry.allocation.plannedHours), evidence: entry.allocation.evidence ?? .observed,
            isRecorded: entry.source == .recorded)
    }
}

extension History {
    /// Finished allocations with hours, as of `moment`, by decision.
    func learningRows(asOf moment: Double, completedFrom first: Double = -.infinity) -> [LearningRow] {
        learningSlots(asOf: moment)
            .filter { (entries[Int($0)].allocation.completedAt ?? first) >= first }
            .map { LearningRow(entries[Int($0)], slot: $0, completedBy: moment) }
    }

    /// How many allocations were finished whose hours nobody has recorded.
    func finishedWithoutHours(asOf moment: Double, completedFrom first: Double = -.infinity) -> Int {
        orderedSlots().count { slot in
            let entry = entries[Int(slot)]
            guard let completed = entry.allocation.completedAt, entry.source == .planned else { return false }
            return completed < moment && completed >= first
        }
    }

    /// As ``awaitedDecisions(from:asOf:)`` of the configuration's moment. Nothing where the split is given from outside, which says
    /// itself what is judged.
    func decisions(of configuration: TrainingConfiguration, from first: Double) -> (all: [Double], planned: [Double]) {
        guard case .latest = configuration.split else { return ([], []) }
        return awaitedDecisions(from: first, asOf: configuration.asOf)
    }

    /// Moments, ascending, of what was decided from `first` on and before `moment` and has an outcome or may still get one, finished or
    /// not: everything, and what had a plan.
    func awaitedDecisions(from first: Double, asOf moment: Double) -> (all: [Double], planned: [Double]) {
        var (all, planned): ([Double], [Double]) = ([], [])
        for slot in orderedSlots() {
            let allocation = entries[Int(slot)].allocation
            guard allocation.decidedAt >= first, allocation.decidedAt < moment,
                isAwaited(entries[Int(slot)], asOf: moment)
            else { continue }
            all.append(allocation.decidedAt)
            if allocation.plannedHours > 0 { planned.append(allocation.decidedAt) }
        }
        return (all, planned)
    }

    /// Allocations to be asked about, by decision, whether anything is known of their outcome or not.
    func askedRows(where isAsked: (String) -> Bool) -> [LearningRow] {
        orderedSlots().filter { isAsked(entries[Int($0)].allocation.id) }.map {
            LearningRow(entries[Int($0)], slot: $0, completedBy: .infinity)
        }
    }

    func learningSlots(asOf moment: Double) -> [Int32] {
        orderedSlots().filter { entries[Int($0)].outcomeTime.map { $0 < moment } ?? false }
    }
}
