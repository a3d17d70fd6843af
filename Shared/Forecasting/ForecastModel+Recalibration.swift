extension ForecastModel {
    /// The same model, moved by what came of the latest outcomes that were known at `moment` and not when the model was fitted:
    /// estimates and ranges by the latest errors of each person, chances by how far all of them are off.
    ///
    /// Outcomes are taken by when they became known: among those, unlike among what was decided lately, long work is not
    /// missing.
    public func recalibrated(history: History, at moment: Double) -> ForecastModel {
        let slots = history.latestOutcomes(LatestErrors.window, from: learnedUntil, before: moment)
        guard !slots.isEmpty else { return self }
        let rows = slots.map { LearningRow(history.entries[Int($0)], slot: $0, completedBy: moment) }
        // Each by what itself had said: the chances of one kind of question are not those of another.
        func moved(_ variant: VariantModel) -> VariantModel {
            variant.recalibrated(
                LatestOutcomes(variant, rows, history: history, askedFrom: moment).recalibration(at: moment))
        }
        let variants = (
            planned.map(moved), moved(unplanned), plannedWithoutDetails.map(moved), unplannedWithoutDetails.map(moved)
        )
        let all = [variants.0, variants.1, variants.2, variants.3]
        guard all.contains(where: { $0?.isMoved == true }) else { return self }
        return ForecastModel(
            seed: seed, learnedUntil: learnedUntil, trainedRows: trainedRows, planned: variants.0,
            unplanned: variants.1, plannedWithoutDetails: variants.2, unplannedWithoutDetails: variants.3,
            prepared: prepared)
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

    /// Which outcomes were known at a moment: while these are the same, so are those that
    /// ``ForecastModel/recalibrated(history:at:)`` goes by.
    public func outcomesKnown(before moment: Double) -> KnownOutcomes {
        let count = read { reader in
            reader.series(0).pointee.moments.map { $0.count(before: moment, from: $0.count - 1) } ?? 0
        }
        return KnownOutcomes(count: count, digest: outcomeDigest)
    }
}

/// Which outcomes of a history were known at a moment, for telling whether they are still the same.
///
/// Two histories of equal allocations have equal ones, however they were put together and on whichever node.
public struct KnownOutcomes: Sendable, Hashable {
    public let count: Int
    /// Of all outcomes of the history, those that became known later too, and of what was decided. An outcome that is put right changes
    /// neither how many there are nor when the last became known.
    public let digest: UInt64
}
