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
            confidence is the mean over the answers; `true` is what came of the answers. One world has a few hundred \
            answers, of which a share is off by two points or three by chance alone: --seeds gives the mean of several.
            """)

    @Option(help: "Only this world.")
    var world: String?

    @Option(help: "Seed of everything random.")
    var seed: UInt64 = 1

    @Option(help: "How many worlds of each kind, each with the next seed.")
    var seeds = 1

    @Option(help: "Epochs of the base network.")
    var epochs = 20

    @Flag(help: "Also print what the models' cards say.")
    var cards = false

    func validate() throws {
        guard seeds > 0, epochs > 0 else { throw ValidationError("--seeds and --epochs must be at least 1.") }
    }

    func run() async throws {
        let names = HonestyWorld.all(seed: seed).map(\.name)
        guard world.map(names.contains) ?? true else {
            throw CommandFailure("There is no such world; there are \(names.joined(separator: ", ")).")
        }
        for name in names where world == nil || name == world {
            let trials = try (0..<UInt64(seeds)).flatMap { offset in
                try HonestyWorld.all(seed: seed + offset).filter { $0.name == name }
                    .map { try HonestyTrial($0, epochs: epochs) }
            }
            if cards { for trial in trials { print(trial.outcome.modelCard + "\n") } }
            for line in HonestyTrial.lines(trials) { print(line) }
        }
    }
}
