import Basics

/// Proves on any history that features look at nothing that became known at or after the decision.
///
/// For a sample of rows, everything after the row's decision is scrambled: outcomes of what finished later are changed or
/// taken away, what was decided later is replaced. If any feature of the row moves, it saw the future.
public enum AsOfCheck {
    public struct Leak: Sendable, Equatable {
        public var allocationID: String
        /// Position of the feature that moved.
        public var feature: Int
    }

    /// The features that the models of this package use, with and without the plan; empty when all is well.
    public static func leaks(in history: History, sample: Int = 25, seed: UInt64 = 1) -> [Leak] {
        let rows = history.learningRows(asOf: .infinity)
        return [true, false].flatMap { withPlan in
            let schema = FeatureSchema(withPlan: withPlan, learningFrom: rows)
            return leaks(in: history, sample: sample, seed: seed) { allocation, history in
                FeatureBuilder(schema: schema, history: history).values(Decision(allocation))
            }
        }
    }

    /// - Parameter features: any way to compute features of an allocation from a history that holds it.
    public static func leaks(
        in history: History, sample: Int = 25, seed: UInt64 = 1, features: (Allocation, History) -> [Float]
    ) -> [Leak] {
        let all = history.allocations
        guard !all.isEmpty else { return [] }
        var random = SeededGenerator(seed: seed)
        var leaks: [Leak] = []
        for _ in 0..<min(sample, all.count) {
            let row = all[random.below(all.count)]
            let before = features(row, history)
            let scrambled = scramble(history, after: row.decidedAt, keeping: row.id, &random)
            let after = features(scrambled.allocation(id: row.id) ?? row, scrambled)
            for index in before.indices
            where index >= after.count
                || (before[index] != after[index] && !(before[index].isNaN && after[index].isNaN))
            {
                leaks.append(Leak(allocationID: row.id, feature: index))
            }
        }
        return leaks
    }

    /// The same history with everything from `moment` on made up. The row itself keeps its plan but gets another outcome.
    static func scramble(
        _ history: History, after moment: Double, keeping id: String, _ random: inout SeededGenerator
    ) -> History {
        var changes: [HistoryChange] = []
        for allocation in history.allocations {
            var changed = allocation
            if let completed = allocation.completedAt, completed >= moment {
                changed.actualHours =
                    (allocation.actualHours ?? allocation.plannedHours) * (0.1 + 5 * random.uniform()) + 1
                changed.completedAt = random.below(4) == 0 ? nil : completed + random.uniform() * 1e6
            }
            if let cancelled = allocation.cancelledAt, cancelled >= moment {
                changed.cancelledAt = random.below(2) == 0 ? nil : cancelled + random.uniform() * 1e6
            }
            if allocation.id != id, allocation.decidedAt >= moment {
                changed.plannedHours = 1 + 100 * random.uniform()
                changed.skills = ["scrambled"]
                if changed.title != nil { changed.title = "something else entirely" }
            }
            if changed != allocation { changes.append(.allocation(changed)) }
        }
        var other = history
        other.apply(changes)
        return other
    }
}
