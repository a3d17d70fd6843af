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

extension Sequence<UInt8> {
    /// Lower-case hex.
    var hex: String {
        let digits = Array("0123456789abcdef".utf8)
        return String(decoding: flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }
}
