import Contracts
import Crypto
import Forecasting
import HistoryFeed

/// What a job learns from, on its way into the store.
struct Dataset: Sendable {
    let id: DatasetID
    let name: String
    let content: DatasetContent
    /// Where the history feed goes on after what is in here; nil when some of it was left out.
    let watermark: String?

    /// CPU work that grows with the history: call it off the cooperative pool.
    /// - Parameter watermark: of the feed that filled the source; nil when there was none.
    init(id: DatasetID = DatasetID(), name: String, source: DatasetSource, watermark: String? = nil) throws {
        self.id = id
        self.name = name
        content = try DatasetContent(source)
        self.watermark = source.leavesOutOutcomes ? nil : watermark
    }
}
