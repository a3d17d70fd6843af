import Basics
import Contracts
import Forecasting
import Synchronization

/// One model moved by the latest outcomes (`ForecastModel.recalibrated`): between one training and the next, estimates follow each
/// person's latest errors, and chances follow what comes true.
///
/// What an answer rests on is the model, the history and the moment asked about, whatever is held here: a move is worked out
/// again as soon as another outcome is known, or one that was known is put right.
final class Recalibrations: Sendable {
    private struct Key: Hashable {
        /// Equal artefacts may be two tenants' models.
        let tenant: TenantID
        let outcomes: KnownOutcomes
    }

    /// Of the outcomes known now and those known at a few past moments asked about. What is not held is computed again, which takes
    /// milliseconds.
    private let held = Mutex(RecentEntries<Key, ForecastModel>(maximumCount: 8))

    /// One move at a time: of two questions that come at once, the second takes what the first has made.
    private let making = Mutex(())

    /// nil for a move that has to be made first.
    func held(of tenant: TenantID, history: History, at moment: Double) -> ForecastModel? {
        let key = Key(tenant: tenant, outcomes: history.outcomesKnown(before: moment))
        return held.withLock { $0.use(key) }
    }

    /// Takes milliseconds where the move is not held: not for the cooperative pool.
    func forecast(
        _ model: ForecastModel, of tenant: TenantID, history: History, at moment: Double
    ) -> ForecastModel {
        let key = Key(tenant: tenant, outcomes: history.outcomesKnown(before: moment))
        if let known = held.withLock({ $0.use(key) }) { return known }
        return making.withLock { _ in
            if let known = held.withLock({ $0.use(key) }) { return known }
            let moved = model.recalibrated(history: history, at: moment)
            held.withLock { $0.insert(moved, for: key) }
            return moved
        }
    }
}
