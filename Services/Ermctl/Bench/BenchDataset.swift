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
            the dataset's chunks and the SHA-256 of its content (`build_seconds`); storing them is not counted. Then reads \
            the chunks back into the history that training learns from (`read_seconds`). `build_peak_mb` and \
            `read_peak_mb` are the most megabytes that the process had in memory until then. The making up is counted in \
            gathering.
            """)

    @Option(help: "Allocations in the history.")
    var rows = 1_000_000

    func validate() throws {
        guard (1...10_000_000).contains(rows) else { throw ValidationError("--rows must be in 1…10000000.") }
    }

    func run() async throws {
        let allocations = SyntheticAllocations(rows, seed: 1)
        var source = DatasetSource(months: 1_200, asOf: Date(timeIntervalSince1970: allocations.end))
        let gathering = try secondsAndProcessorTimeTaken {
            for allocation in allocations { try source.add(.allocation(allocation)) }
        }
        var built: DatasetContent?
        var bytes = 0
        let building = try secondsAndProcessorTimeTaken {
            built = try DatasetContent(source)
            let chunks = try built?.chunks()
            while let chunk = try chunks?.next() { bytes += chunk.content.count }
        }
        guard let content = built else { return }
        print("rows=\(content.rowCount) bytes=\(bytes)")
        print("gather_seconds=\(gathering.seconds.fixed(3))")
        print("gather_processor_seconds=\(gathering.processor.fixed(3))")
        print("build_seconds=\(building.seconds.fixed(3))")
        print("build_processor_seconds=\(building.processor.fixed(3))")
        print("build_peak_mb=\(try peakMegabytes().fixed(0))")
        print("rows_per_s=\((Double(content.rowCount) / (gathering.seconds + building.seconds)).fixed(0))")
        print("content_sha256=\(content.contentSHA256)")

        let reader = DatasetReader(expectingLines: content.lineCount)
        var history = History()
        let reading = try secondsTaken {
            let chunks = try content.chunks()
            while let chunk = try chunks.next() { try reader.read([chunk.content]) }
            history = try reader.history(expecting: content.contentSHA256)
        }
        print("read_seconds=\(reading.fixed(3))")
        print("read_allocations=\(history.allocationCount)")
        print("read_peak_mb=\(try peakMegabytes().fixed(0))")
    }

    /// The most memory the process has had so far, as the system counts it.
    private func peakMegabytes() throws -> Double {
        var usage = rusage()
        guard getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage) == 0 else { throw CocoaError(.fileReadUnknown) }
        return Double(usage.ru_maxrss) / 1_024
    }
}
