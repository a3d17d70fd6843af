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

    func forecast(
        _ model: ForecastModel, of tenant: TenantID, history: History, at moment: Double
    ) -> ForecastModel {
        let key = Key(tenant: tenant, outcomes: history.outcomesKnown(before: moment))
        if let known = held.withLock({ $0.use(key) }) { return known }
        // Outside of the lock: of two questions that come at once each makes it, and both make the same.
        let moved = model.recalibrated(history: history, at: moment)
        held.withLock { $0.insert(moved, for: key) }
        return moved
    }
}
