import ArgumentParser
import Forecasting

/// `ermctl bench features`: how fast a history is arranged and its features are computed.
struct BenchFeaturesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "features",
        abstract: "Measure how fast features are computed, on all cores.",
        discussion: """
            Arranges a made-up history of a large company (`history_seconds`) and computes every feature of every one of \
            its allocations as of the allocation's decision (`seconds`), as a training job does. The processor_seconds of \
            both are over all cores: on a machine with other work they say more.
            """)

    @Option(help: "Allocations in the history.")
    var rows = 1_000_000

    @Flag(help: "The features of questions without the planned hours.")
    var withoutPlan = false

    func validate() throws {
        guard (1...20_000_000).contains(rows) else { throw ValidationError("--rows must be in 1…20000000.") }
    }

    func run() async throws {
        let allocations = syntheticAllocations(rows, seed: 1)
        var history = History()
        let arranging = secondsAndProcessorTimeTaken { history = History(allocations: allocations) }
        let schema = FeatureSchema(withPlan: !withoutPlan, labelKeys: ["priority", "requester"])
        var matrix = FeatureMatrix(values: [], columns: 0)
        let computing = secondsAndProcessorTimeTaken { matrix = history.features(schema: schema, asOf: .infinity) }
        // A digest of what was computed, so that a change of speed that changes a feature shows.
        var digest: UInt64 = 14_695_981_039_346_656_037
        for value in matrix.values { digest = (digest ^ UInt64(value.bitPattern)) &* 1_099_511_628_211 }
        print("rows=\(matrix.rows) features=\(matrix.columns)")
        print("history_seconds=\(arranging.seconds.fixed(3))")
        print("history_processor_seconds=\(arranging.processor.fixed(3))")
        print("seconds=\(computing.seconds.fixed(3))")
        print("processor_seconds=\(computing.processor.fixed(3))")
        print("rows_per_s=\((Double(matrix.rows) / computing.seconds).fixed(0))")
        print("digest=\(String(digest, radix: 16))")
    }
}
