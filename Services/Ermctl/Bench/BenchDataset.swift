import ArgumentParser
import Forecasting
import Foundation
import HistoryFeed

/// `ermctl bench dataset`: how fast a tenant's history becomes an immutable dataset.
struct BenchDatasetCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dataset",
        abstract: "Measure how fast a dataset is built from a history.",
        discussion: """
            Takes in a made-up history change by change (`gather_seconds`), as it streams from tenant-admin, and makes of it \
            the dataset's chunks and the SHA-256 of its content (`build_seconds`); storing them is not counted.
            """)

    @Option(help: "Allocations in the history.")
    var rows = 1_000_000

    func validate() throws {
        guard (1...1_000_000).contains(rows) else { throw ValidationError("--rows must be in 1…1000000.") }
    }

    func run() async throws {
        let allocations = syntheticAllocations(rows, seed: 1)
        let end = allocations.reduce(0) { max($0, $1.completedAt ?? 0) } + 1
        var source = DatasetSource(months: 240, asOf: Date(timeIntervalSince1970: end))
        let gathering = try secondsAndProcessorTimeTaken {
            for allocation in allocations { try source.add(.allocation(allocation)) }
        }
        var bytes = 0
        var digest = ""
        var count = 0
        let building = try secondsAndProcessorTimeTaken {
            let content = try DatasetContent(source)
            for index in 0..<content.chunkCount { bytes += try content.chunk(index).content.count }
            (digest, count) = (content.contentSHA256, content.rowCount)
        }
        print("rows=\(count) bytes=\(bytes)")
        print("gather_seconds=\(gathering.seconds.fixed(3))")
        print("gather_processor_seconds=\(gathering.processor.fixed(3))")
        print("build_seconds=\(building.seconds.fixed(3))")
        print("build_processor_seconds=\(building.processor.fixed(3))")
        print("rows_per_s=\((Double(count) / (gathering.seconds + building.seconds)).fixed(0))")
        print("content_sha256=\(digest)")
    }
}
