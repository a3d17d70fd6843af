import Forecasting
import Foundation

/// What a model's card says of one made-up world, beside what comes true of its answers.
///
/// The model itself is asked, since one executable cannot be linked into another. What ml-prediction makes of a request is tried
/// by `MLPredictionTests/ServedHonestyTests` in one of these worlds.
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
            configuration: TrainingConfiguration(
                months: 240, epochs: epochs, seed: seed, asOf: world.asOf, learnsFrom: world.learnsFrom)
        ).run()
        self.outcome = outcome
        // History follows as time goes on; each question sees what was finished before it.
        let history = History(allocations: world.allocations)
        let asked = world.asked
        let answers = asked.map { task in
            outcome.model.recalibrated(history: history, at: task.decidedAt)
                .forecast(Decision(task), history: history, explaining: false)
        }
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
        let chances = Chances(
            answers.map(\.successProbability), came: zip(asked, hours).map { $1 <= $0.plannedHours })
        let report = outcome.report.overall
        said = Figures(
            mae: report.hours?.mae ?? .nan, coverage80: report.intervals.first { $0.level == 80 }?.coverage,
            coverage90: report.intervals.first { $0.level == 90 }?.coverage,
            success: chances?.said, brier: report.success?.brier,
            confidence: answers.reduce(0) { $0 + $1.confidence } / count / 100,
            medianHours: Self.median(answers.map(\.hours)))
        came = Figures(
            mae: zip(answers, hours).reduce(0) { $0 + abs($1.0.hours - $1.1) } / count, coverage80: held(80),
            coverage90: held(90), success: chances?.came, brier: chances?.brier, baseRateBrier: chances?.usualBrier,
            confidence: share { abs(hours[$0] - answers[$0].hours) <= 0.25 * answers[$0].hours * (1 + 1e-9) },
            medianHours: Self.median(hours))
    }

    /// Chances of success of the answers that gave one: what came of other answers says nothing of them.
    struct Chances {
        private(set) var said = 0.0
        private(set) var came = 0.0
        private(set) var brier = 0.0
        /// Of always saying how often success came.
        var usualBrier: Double { came * (1 - came) }

        /// - Returns: nil where none was said.
        init?(_ chances: [Double?], came: [Bool]) {
            let pairs = zip(chances, came).compactMap { chance, came in chance.map { ($0, came ? 1.0 : 0) } }
            guard !pairs.isEmpty else { return nil }
            for (chance, truth) in pairs {
                said += chance / Double(pairs.count)
                self.came += truth / Double(pairs.count)
                brier += (chance - truth) * (chance - truth) / Double(pairs.count)
            }
        }
    }

    private static func median(_ values: [Double]) -> Double {
        values.isEmpty ? .nan : values.sorted()[values.count / 2]
    }

    /// `name=value`, one a line: means over the trials of one world.
    static func lines(_ trials: [HonestyTrial]) -> [String] {
        guard let name = trials.first?.world.name else { return [] }
        func mean(_ figures: [Double?]) -> String {
            let known = figures.compactMap { $0 }.filter { !$0.isNaN }
            guard !known.isEmpty else { return "none" }
            return String(format: "%.3f", known.reduce(0, +) / Double(known.count))
        }
        func both(_ name: String, _ figure: (Figures) -> Double?) -> [(String, String)] {
            [
                ("\(name).said", mean(trials.map { figure($0.said) })),
                ("\(name).true", mean(trials.map { figure($0.came) })),
            ]
        }
        func count(_ isSo: (TrainingOutcome) -> Bool) -> String {
            "\(trials.count { isSo($0.outcome) })/\(trials.count)"
        }
        let figures =
            both("mae", \.mae) + both("coverage80", \.coverage80) + both("coverage90", \.coverage90)
            + both("success", \.success) + both("brier", \.brier) + both("confidence", \.confidence)
            + both("median_hours", \.medianHours)
            + [
                ("base_rate_brier", mean(trials.map(\.came.baseRateBrier))),
                ("answers_with", Set(trials.map(\.outcome.winner)).sorted().joined(separator: ",")),
                ("called_better", count(\.beatsBaseline)), ("validated", count(\.isValidated)),
            ]
        return figures.map { "\(name).\($0)=\($1)" }
    }

    var lines: [String] { Self.lines([self]) }
}
