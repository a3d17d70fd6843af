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
            "--search-seconds", "5", "--deploy-automatically", "--shadow-days", "7", "--shadow-outcomes", "30",
        ])
        #expect(
            all.request
                == TrainingScheduleRequest(
                    everyDays: 30, newOutcomes: 200, months: 24, epochs: 50, seed: 7,
                    hyperparameters: TrainingHyperparameters(searchSeconds: 5), deployAutomatically: true,
                    shadowDays: 7,
                    shadowOutcomes: 30))
        #expect(try ScheduleCommand.Set.parse(["--every-days", "1"]).request == TrainingScheduleRequest(everyDays: 1))
    }

    @Test("a schedule that says not when to train is refused before it is sent")
    func empty() {
        #expect(throws: (any Error).self) { try ScheduleCommand.Set.parse(["--months", "24"]) }
    }

    @Test(
        "days in the shadow are for models that are deployed by themselves",
        arguments: ["--shadow-days", "--shadow-outcomes"])
    func shadowWithoutDeployment(option: String) throws {
        #expect(throws: (any Error).self) { try ScheduleCommand.Set.parse(["--every-days", "1", option, "20"]) }
        let atOnce = ["--every-days", "1", "--deploy-automatically", "--shadow-days", "0"]
        #expect(try ScheduleCommand.Set.parse(atOnce).request.shadowDays == 0)
    }

    @Test("a schedule is shown in words: when, on what, what becomes of it, and what it waits for")
    func report() {
        func schedule(
            days: Int?, outcomes: Int?, automatic: Bool, failures: Int, deployment: String?, shadowDays: Int = 14,
            shadow: ModelShadow? = nil
        ) -> TrainingSchedule {
            TrainingSchedule(
                everyDays: days, newOutcomes: outcomes, months: 24, epochs: 100, modelType: "resource_allocation",
                seed: nil, hyperparameters: TrainingHyperparameters(), deployAutomatically: automatic, setBy: "u",
                createdAt: Date(), updatedAt: Date(),
                state: TrainingScheduleState(
                    explanation: "Waits.", nextDueAt: nil, newOutcomesFound: nil, lookedAt: nil, lastJobId: nil,
                    failures: failures, deployment: deployment, shadow: shadow),
                shadowDays: shadowDays)
        }
        #expect(
            ScheduleCommand.report(schedule(days: 1, outcomes: 200, automatic: true, failures: 2, deployment: "Left."))
                == """
                Trains every 1 day or after 200 new outcomes on 24 months; models are deployed automatically.
                First they answer unseen beside the deployed one, for at least 14 days and 50 known outcomes.
                Waits.
                Failed jobs since the last success: 2.
                Left.
                """)
        #expect(
            ScheduleCommand.report(schedule(days: nil, outcomes: 5, automatic: false, failures: 0, deployment: nil))
                == "Trains after 5 new outcomes on 24 months; models are deployed by hand.\nWaits.")
        let start = Date(timeIntervalSince1970: 1_790_000_000)
        func shadow(_ state: ModelShadow.State) -> ModelShadow {
            ModelShadow(
                modelId: ModelID(), version: 2, incumbentId: ModelID(), state: state, startedAt: start, leastDays: 1,
                leastOutcomes: 20, endsAt: start + 345_600,
                figures: ShadowFigures(
                    answers: 40, outcomes: 25,
                    comparison: ShadowComparison(
                        meanAbsoluteError: 1.25, incumbentMeanAbsoluteError: 1.5, meanDifference: -0.25, low: -0.5,
                        high: 0.12, isWorse: false)),
                decidedAt: state == .running ? nil : start, note: "Said.")
        }
        #expect(
            ScheduleCommand.report(
                schedule(
                    days: 7, outcomes: nil, automatic: true, failures: 0, deployment: nil, shadowDays: 1,
                    shadow: shadow(.running)))
                    == """
                    Trains every 7 days on 24 months; models are deployed automatically.
                    First they answer unseen beside the deployed one, for at least 1 day and 50 known outcomes.
                    Waits.

                    Shadow: version 2 answers beside the deployed model since 2026-09-21T14:13:20.000Z, until \
                    2026-09-25T14:13:20.000Z at the latest.
                    40 questions answered by both, 25 outcomes known.
                    Mean error in hours: 1.25, deployed model 1.50; difference -0.25 (95 %: -0.50 to 0.12).
                    Said.
                    """)
        let atOnce = ScheduleCommand.report(
            schedule(
                days: 7, outcomes: nil, automatic: true, failures: 0, deployment: nil, shadowDays: 0,
                shadow: shadow(.refused)))
        #expect(atOnce.contains("They take over at once, without a shadow."))
        #expect(atOnce.contains("from 2026-09-21T14:13:20.000Z; refused.\n"))
    }
}
