import Forecasting
import Foundation
import Testing

@testable import Ermctl

/// What models state of themselves in worlds whose truth is known. `ServedHonestyTests` asks through ml-prediction's code.
@Suite struct HonestyTests {
    @Test("work that is unfinished when the model is made is not taken for short: ranges and median hold of all work")
    func censored() throws {
        // Of one company's 750 later tasks a share is off by 1.5 points by chance, and by 2 more for the rows that calibrated the
        // ranges: the mean of three is what three points can be asked of.
        let trials = try (1...UInt64(3)).map { try HonestyTrial(.censored(seed: $0), epochs: 3) }
        // No number where a figure is missing, which is within nothing.
        func mean(_ figure: (HonestyTrial) -> Double?) -> Double {
            trials.reduce(0) { $0 + (figure($1) ?? .nan) } / Double(trials.count)
        }
        let narrow = mean { $0.came.coverage80 }
        let wide = mean { $0.came.coverage90 }
        #expect(abs(narrow - 0.8) < 0.03 && abs(wide - 0.9) < 0.03, "\(HonestyTrial.lines(trials))")
        // The longest work cannot have ended among the latest rows, so that errors on them are too small: the card says so.
        #expect(trials.contains { $0.said.mae < 0.9 * $0.came.mae })
        #expect(
            trials.allSatisfy {
                $0.said.mae > 0.9 * $0.came.mae || $0.outcome.modelCard.contains("larger where all work counts")
            })
        // The trial that found the fault had 22.5 h said and 34.2 h true: a log ratio of 0.42.
        let offBy = mean { log($0.said.medianHours / $0.came.medianHours) }
        #expect(abs(offBy) < 0.12, "\(HonestyTrial.lines(trials))")
    }

    @Test("months too few for work that takes as long make a model that claims nothing and says what would help")
    func months() throws {
        let (few, whole) = (
            try HonestyTrial(.months(seed: 1), epochs: 3), try HonestyTrial(.censored(seed: 1), epochs: 3)
        )
        let advice = "learn from more months"
        #expect(few.outcome.validationRows == 0 && few.said.coverage80 == nil)
        #expect(few.outcome.modelCard.contains(advice) && !whole.outcome.modelCard.contains(advice))
    }

    @Test("plans that are nearly all exactly kept make a model that says so and passes its gates")
    func exactPlans() throws {
        let trial = try HonestyTrial(.exactPlans(seed: 1), epochs: 3)
        let (said, came) = (try #require(trial.said.confidence), try #require(trial.came.confidence))
        #expect(abs(said - came) < 0.05 && trial.outcome.isValidated, "\(trial.lines)")
    }

    @Test("labels and ends that were edited to the outcome tell a model nothing: it knows what was first decided")
    func edits() throws {
        let trial = try HonestyTrial(.edits(seed: 1), epochs: 3)
        // A chance of keeping the plan can only be said where something tells.
        #expect(trial.said.brier.map { $0 > 0.2 } ?? true, "\(trial.lines)")
        let (said, came) = (try #require(trial.said.confidence), try #require(trial.came.confidence))
        #expect(abs(said - came) < 0.08, "\(trial.lines)")
    }

    @Test("a hundred tasks of four people are enough for both ranges and a confidence that comes true")
    func small() throws {
        let trial = try HonestyTrial(.small(seed: 1), epochs: 3)
        let (said, came) = (try #require(trial.said.confidence), try #require(trial.came.confidence))
        #expect(abs(said - came) < 0.12, "\(trial.lines)")
        #expect(try #require(trial.came.coverage90) > 0.8, "\(trial.lines)")
    }

    @Test("chances are compared with what came of the answers that gave one")
    func silence() throws {
        let chances = try #require(HonestyTrial.Chances([0.25, nil, 0.75, nil], came: [false, true, true, true]))
        #expect(chances.said == 0.5 && chances.came == 0.5 && chances.brier == 0.0625 && chances.usualBrier == 0.25)
        #expect(HonestyTrial.Chances([nil, nil], came: [true, false]) == nil)
    }

    @Test("after everything has become slower, neither ranges nor chances go on as before")
    func drift() throws {
        let trial = try HonestyTrial(.drift(seed: 1), epochs: 3)
        #expect(try #require(trial.came.coverage80) > 0.75, "\(trial.lines)")
        if let said = trial.said.success {
            #expect(abs(said - (try #require(trial.came.success))) < 0.1, "\(trial.lines)")
        }
        // Of 600 answers a share is off by two points by chance; it used to be twelve.
        let (stated, near) = (try #require(trial.said.confidence), try #require(trial.came.confidence))
        #expect(abs(stated - near) < 0.08, "\(trial.lines)")
    }
}
