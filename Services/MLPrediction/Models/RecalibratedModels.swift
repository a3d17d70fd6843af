import Basics
import Contracts
import Forecasting
import Synchronization

/// Deployed models with their chances moved by the latest outcomes (`ForecastModel.recalibrated`): between one training and
/// the next, chances follow what comes true.
///
/// What an answer rests on is the model, the history and the moment asked about, whatever is held here: a move is worked out
/// again as soon as another outcome is known, or one that was known is put right.
final class RecalibratedModels: Sendable {
    private struct Key: Hashable {
        let tenant: TenantID
        let model: ModelID
    }

    private struct Held {
        let outcomes: KnownOutcomes
        let forecast: ForecastModel
    }

    /// A model that is not held is computed again, which costs milliseconds.
    private let held = Mutex(RecentEntries<Key, Held>(maximumCount: 256))

    func model(_ model: LoadedModel, of tenant: TenantID, history: History, at moment: Double) -> LoadedModel {
        // The baseline states no chances.
        guard let id = model.id else { return model }
        let key = Key(tenant: tenant, model: id)
        let outcomes = history.outcomesKnown(before: moment)
        let forecast =
            held.withLock { $0.use(key) }.flatMap { $0.outcomes == outcomes ? $0.forecast : nil }
            ?? model.forecast.recalibrated(history: history, at: moment)
        held.withLock { $0.insert(Held(outcomes: outcomes, forecast: forecast), for: key) }
        var moved = model
        moved.forecast = forecast
        return moved
    }
}
