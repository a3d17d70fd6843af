import Forecasting
import Foundation

/// What a model's card says of one made-up world, beside what comes true of its answers.
struct HonestyTrial {
    struct Figures {
        var mae: Double
        var coverage80: Double?
        var coverage90: Double?
        var success: Double?
        var brier: Double?
        var baseRateBrier: Double?
        var confidence: Double?
        var medianHours: Double
    }

    let world: HonestyWorld
    let outcome: TrainingOutcome
    /// What the answers to later questions said.
    let said: Figures
    /// What came of them.
    let came: Figures

    init(_ world: HonestyWorld, epochs: Int = 20, seed: UInt64 = 1) throws {
        self.world = world
        let outcome = try TrainingRun(
            history: world.known,
            configuration: TrainingConfiguration(months: 240, epochs: epochs, seed: seed, asOf: world.asOf)
        ).run()
        self.outcome = outcome
        // History follows as time goes on; each question sees what was finished before it.
        let history = History(allocations: world.allocations)
        let asked = world.asked
        let answers = asked.map { outcome.model.forecast(Decision($0), history: history, explaining: false) }
        let hours = asked.map { $0.actualHours ?? $0.plannedHours }
        let count = Double(asked.count)
        func share(_ isTrue: (Int) -> Bool?) -> Double? {
            let known = asked.indices.compactMap(isTrue)
            return known.isEmpty ? nil : Double(known.count { $0 }) / Double(known.count)
        }
        func held(_ level: Int) -> Double? {
            share { row in
                answers[row].interval(level).map {
                    $0.low * (1 - 1e-9) <= hours[row] && hours[row] <= $0.high * (1 + 1e-9)
                }
            }
        }
        let succeeded = asked.indices.map { hours[$0] <= asked[$0].plannedHours }
        let rate = Double(succeeded.count { $0 }) / count
        let chances = answers.compactMap(\.successProbability)
        let brier =
            chances.count == asked.count
            ? zip(chances, succeeded).reduce(0) { $0 + ($1.0 - ($1.1 ? 1 : 0)) * ($1.0 - ($1.1 ? 1 : 0)) } / count : nil
        let report = outcome.report.overall
        said = Figures(
            mae: report.hours?.mae ?? .nan, coverage80: report.intervals.first { $0.level == 80 }?.coverage,
            coverage90: report.intervals.first { $0.level == 90 }?.coverage,
            success: chances.isEmpty ? nil : chances.reduce(0, +) / Double(chances.count),
            brier: report.success?.brier, confidence: answers.reduce(0) { $0 + $1.confidence } / count / 100,
            medianHours: Self.median(answers.map(\.hours)))
        came = Figures(
            mae: zip(answers, hours).reduce(0) { $0 + abs($1.0.hours - $1.1) } / count, coverage80: held(80),
            coverage90: held(90), success: rate, brier: brier, baseRateBrier: rate * (1 - rate),
            confidence: share { abs(hours[$0] - answers[$0].hours) <= 0.25 * answers[$0].hours * (1 + 1e-9) },
            medianHours: Self.median(hours))
    }

    private static func median(_ values: [Double]) -> Double {
        values.isEmpty ? .nan : values.sorted()[values.count / 2]
    }

    /// `name=value`, one a line.
    var lines: [String] {
        func line(_ figure: String, _ said: Double?, _ came: Double?) -> [String] {
            [("said", said), ("true", came)].map { side, value in
                "\(world.name).\(figure).\(side)=\(value.map { String(format: "%.3f", $0) } ?? "none")"
            }
        }
        return line("mae", said.mae, came.mae) + line("coverage80", said.coverage80, came.coverage80)
            + line("coverage90", said.coverage90, came.coverage90) + line("success", said.success, came.success)
            + line("brier", said.brier, came.brier) + line("confidence", said.confidence, came.confidence)
            + line("median_hours", said.medianHours, came.medianHours)
            + [
                "\(world.name).answers_with=\(outcome.winner)", "\(world.name).called_better=\(outcome.beatsBaseline)",
                "\(world.name).validated=\(outcome.isValidated)",
            ]
    }
}
