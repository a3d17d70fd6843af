import Forecasting
import HistoryFeed

extension DatasetContent {
    func allChunks() throws -> [Chunk] {
        let chunks = try chunks()
        var all: [Chunk] = []
        while let chunk = try chunks.next() { all.append(chunk) }
        return all
    }

    /// As read back from its chunks.
    func history() throws -> History {
        let reader = DatasetReader()
        try reader.read(allChunks().map(\.content))
        return try reader.history(expecting: contentSHA256)
    }
}
