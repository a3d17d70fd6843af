import Contracts
import Forecasting
import Synchronization

/// Deployed models with their chances moved by the latest outcomes (`ForecastModel.recalibrated`): between one training and
/// the next, chances follow what comes true.
///
/// What an answer rests on is the model, the history and the moment asked about, whatever is held here: a move is worked out
/// again as soon as another outcome is known.
final class RecalibratedModels: Sendable {
    private struct Key: Hashable {
        let tenant: TenantID
        let model: ModelID
    }

    private struct Held {
        let outcomes: KnownOutcomes
        let forecast: ForecastModel
    }

    private let held = Mutex<[Key: Held]>([:])
    /// Models held at once; beyond that all are computed again, which costs milliseconds each.
    private let capacity: Int

    init(capacity: Int = 256) { self.capacity = capacity }

    func model(_ model: LoadedModel, of tenant: TenantID, history: History, at moment: Double) -> LoadedModel {
        // The baseline states no chances.
        guard let id = model.id else { return model }
        let key = Key(tenant: tenant, model: id)
        let outcomes = history.outcomesKnown(before: moment)
        let forecast =
            held.withLock { $0[key] }.flatMap { $0.outcomes == outcomes ? $0.forecast : nil }
            ?? model.forecast.recalibrated(history: history, at: moment)
        held.withLock { held in
            if held.count >= capacity, held[key] == nil { held.removeAll() }
            held[key] = Held(outcomes: outcomes, forecast: forecast)
        }
        var moved = model
        moved.forecast = forecast
        return moved
    }
}
