import ArgumentParser
import Forecasting

/// `ermctl bench honesty`: what models say of themselves in worlds whose truth is known.
struct BenchHonestyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "honesty",
        abstract: "Compare what models say of themselves with what comes true, in made-up worlds.",
        discussion: """
            In each world a training job learns from what was known at a moment, and is asked about everything decided \
            later. `said` of an error, of coverage and of the Brier score is the model card's figure; `said` of success and \
            confidence is the mean over the answers; `true` is what came of the answers.
            """)

    @Option(help: "Only this world.")
    var world: String?

    @Option(help: "Seed of everything random.")
    var seed: UInt64 = 1

    func run() async throws {
        let worlds = HonestyWorld.all(seed: seed).filter { world == nil || $0.name == world }
        guard !worlds.isEmpty else {
            throw CommandFailure(
                "There is no such world; there are \(HonestyWorld.all(seed: seed).map(\.name).joined(separator: ", "))."
            )
        }
        for world in worlds { for line in try HonestyTrial(world).lines { print(line) } }
    }
}
