import ArgumentParser
import Forecasting
import Synchronization

/// `ermctl bench features`: how fast a history is arranged and its features are computed.
struct BenchFeaturesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "features",
        abstract: "Measure how fast features are computed, on all cores.",
        discussion: """
            Makes up and arranges the history of a large company (`history_seconds`) and computes every feature of every one of \
            its allocations as of the allocation's decision (`seconds`), by the code that a training job uses: block by \
            block, each read once for the digest, or with --matrix all into one matrix. The processor_seconds of both are \
            over all cores: on a machine with other work they say more.
            """)

    @Option(help: "Allocations in the history.")
    var rows = 1_000_000

    @Flag(help: "The features of questions without the planned hours.")
    var withoutPlan = false

    @Flag(help: "All rows at once, in one matrix.")
    var matrix = false

    func validate() throws {
        guard (1...20_000_000).contains(rows) else { throw ValidationError("--rows must be in 1…20000000.") }
    }

    func run() async throws {
        var history = History()
        let arranging = secondsAndProcessorTimeTaken {
            let company = SyntheticAllocations(rows, seed: 1)
            var intake = HistoryIntake(expectedAllocations: rows)
            for employee in company.employees { intake.take(.employee(employee)) }
            for project in company.projects { intake.take(.project(project)) }
            for allocation in company { intake.take(.allocation(allocation)) }
            history = intake.finish()
        }
        let schema = FeatureSchema(withPlan: !withoutPlan, labelKeys: ["priority", "requester"])
        let width = schema.features.count
        let digest = Atomic<UInt64>(0)
        let computed = Atomic(0)
        let computing = secondsAndProcessorTimeTaken {
            if matrix {
                let all = history.features(schema: schema, asOf: .infinity)
                computed.store(all.rows, ordering: .relaxed)
                digest.store(digestPart(all.values.span, at: 0), ordering: .relaxed)
            } else {
                history.forEachBlockOfFeatures(schema: schema, asOf: .infinity) { first, block in
                    computed.wrappingAdd(block.count / width, ordering: .relaxed)
                    digest.wrappingAdd(digestPart(block, at: first * width), ordering: .relaxed)
                }
            }
        }
        let count = computed.load(ordering: .relaxed)
        print("rows=\(count) features=\(width)")
        print("history_seconds=\(arranging.seconds.fixed(3))")
        print("history_processor_seconds=\(arranging.processor.fixed(3))")
        print("seconds=\(computing.seconds.fixed(3))")
        print("processor_seconds=\(computing.processor.fixed(3))")
        print("rows_per_s=\((Double(count) / computing.seconds).fixed(0))")
        print("digest=\(String(digest.load(ordering: .relaxed), radix: 16))")
    }

    /// What these values, the first of them at this place among all, add to a digest of all of them: a change of speed that
    /// changes a feature shows. Parts may be added in any order.
    private func digestPart(_ values: Span<Float>, at place: Int) -> UInt64 {
        var sum: UInt64 = 0
        var weight = UInt64(place) &* 2 &+ 1
        for index in values.indices {
            sum &+= UInt64(values[index].bitPattern) &* weight
            weight &+= 2
        }
        return sum
    }
}
