extension ForecastModel {
    /// The same model, its chances moved by what came of the latest outcomes that were known at `moment` and not when the
    /// model was fitted.
    ///
    /// Outcomes are taken by when they became known: among those, unlike among what was decided lately, long work is not
    /// missing.
    public func recalibrated(history: History, at moment: Double) -> ForecastModel {
        let slots = history.latestOutcomes(Recalibration.window, from: learnedUntil, before: moment)
        guard slots.count >= Recalibration.least else { return self }
        let rows = slots.map { LearningRow(history.entries[Int($0)], slot: $0, completedBy: moment) }
        func found(_ variant: VariantModel, _ rows: [LearningRow]) -> Recalibration {
            variant.latestOutcomes(rows, history.features(of: rows, schema: variant.schema)).recalibration(at: moment)
        }
        let withPlan = planned.map { found($0, rows.filter { $0.planned > 0 }) } ?? .none
        let withoutPlan = found(unplanned, rows)
        guard withPlan != .none || withoutPlan != .none else { return self }
        return ForecastModel(
            seed: seed, learnedUntil: learnedUntil, trainedRows: trainedRows, planned: planned?.recalibrated(withPlan),
            unplanned: unplanned.recalibrated(withoutPlan),
            plannedWithoutDetails: plannedWithoutDetails?.recalibrated(withPlan),
            unplannedWithoutDetails: unplannedWithoutDetails?.recalibrated(withoutPlan))
    }
}

extension History {
    /// Of everything that can be learned from, what became known last.
    /// - Returns: slots by when their outcomes became known.
    func latestOutcomes(_ count: Int, from first: Double, before moment: Double) -> [Int32] {
        read { reader in
            let all = reader.series(0).pointee
            guard let rows = all.rows, let moments = all.moments else { return [] }
            var place = moments.count(before: moment, from: moments.count - 1)
            var slots: [Int32] = []
            while place > 0, slots.count < count, rows[place - 1].time >= first {
                place -= 1
                slots.append(rows[place].slot)
            }
            return slots.reversed()
        }
    }

    /// How many outcomes were known at a moment, and when the last of them became known: while neither changes, neither does
    /// what ``ForecastModel/recalibrated(history:at:)`` goes by.
    public func outcomesKnown(before moment: Double) -> KnownOutcomes {
        read { reader in
            let all = reader.series(0).pointee
            guard let rows = all.rows, let moments = all.moments else {
                return KnownOutcomes(count: 0, last: -.infinity)
            }
            let count = moments.count(before: moment, from: moments.count - 1)
            return KnownOutcomes(count: count, last: count > 0 ? rows[count - 1].time : -.infinity)
        }
    }
}

/// Which outcomes of a history were known at a moment.
public struct KnownOutcomes: Sendable, Hashable {
    public let count: Int
    /// When the last of them became known; -∞ without any.
    public let last: Double
}
