import Forecasting
import Foundation
import Testing

@testable import Ermctl

/// What models state of themselves in worlds whose truth is known. `ServedHonestyTests` asks through ml-prediction's code.
@Suite struct HonestyTests {
    @Test("work that is unfinished when the model is made is not taken for short: the ranges hold of all work")
    func censored() throws {
        let trial = try HonestyTrial(.censored(seed: 1), epochs: 3)
        let (narrow, wide) = (try #require(trial.came.coverage80), try #require(trial.came.coverage90))
        #expect(narrow > 0.74 && wide > 0.85, "\(trial.lines)")
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
        #expect(try #require(trial.said.brier) > 0.2, "\(trial.lines)")
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

    @Test("after everything has become slower, neither ranges nor chances go on as before")
    func drift() throws {
        let trial = try HonestyTrial(.drift(seed: 1), epochs: 3)
        #expect(try #require(trial.came.coverage80) > 0.75, "\(trial.lines)")
        let (said, came) = (try #require(trial.said.success), try #require(trial.came.success))
        #expect(abs(said - came) < 0.1, "\(trial.lines)")
    }
}
