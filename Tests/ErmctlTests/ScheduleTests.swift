import ArgumentParser
import Contracts
import Foundation
import Testing

@testable import Ermctl

@Suite("ermctl schedule")
struct ScheduleTests {
    @Test("what is given on the command line is what is asked for, and nothing else")
    func request() throws {
        let all = try ScheduleCommand.Set.parse([
            "--every-days", "30", "--new-outcomes", "200", "--months", "24", "--epochs", "50", "--seed", "7",
            "--search-seconds", "5", "--deploy-automatically",
        ])
        #expect(
            all.request
                == TrainingScheduleRequest(
                    everyDays: 30, newOutcomes: 200, months: 24, epochs: 50, seed: 7,
                    hyperparameters: TrainingHyperparameters(searchSeconds: 5), deployAutomatically: true))
        #expect(try ScheduleCommand.Set.parse(["--every-days", "1"]).request == TrainingScheduleRequest(everyDays: 1))
    }

    @Test("a schedule that says not when to train is refused before it is sent")
    func empty() {
        #expect(throws: (any Error).self) { try ScheduleCommand.Set.parse(["--months", "24"]) }
    }

    @Test("a schedule is shown in words: when, on what, what becomes of it, and what it waits for")
    func report() {
        func schedule(days: Int?, outcomes: Int?, automatic: Bool, failures: Int, deployment: String?)
            -> TrainingSchedule
        {
            TrainingSchedule(
                everyDays: days, newOutcomes: outcomes, months: 24, epochs: 100, modelType: "resource_allocation",
                seed: nil, hyperparameters: TrainingHyperparameters(), deployAutomatically: automatic, setBy: "u",
                createdAt: Date(), updatedAt: Date(),
                state: TrainingScheduleState(
                    explanation: "Waits.", nextDueAt: nil, newOutcomesFound: nil, lookedAt: nil, lastJobId: nil,
                    failures: failures, deployment: deployment))
        }
        #expect(
            ScheduleCommand.report(schedule(days: 1, outcomes: 200, automatic: true, failures: 2, deployment: "Left."))
                == """
                Trains every 1 day or after 200 new outcomes on 24 months; models are deployed automatically.
                Waits.
                Failed jobs since the last success: 2.
                Left.
                """)
        #expect(
            ScheduleCommand.report(schedule(days: nil, outcomes: 5, automatic: false, failures: 0, deployment: nil))
                == "Trains after 5 new outcomes on 24 months; models are deployed by hand.\nWaits.")
    }
}
