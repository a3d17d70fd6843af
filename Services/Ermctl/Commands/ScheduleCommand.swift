import ArgumentParser
import Contracts

struct ScheduleCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "schedule", abstract: "When the tenant's models are trained again by themselves.",
        subcommands: [Show.self, Set.self, Remove.self])

    private static let path = "/api/v1/training/schedule"

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Show the schedule and what it waits for.")

        @OptionGroup var output: OutputOptions

        func run() async throws {
            let schedule: TrainingSchedule = try await withClient(PlatformClient.loggedIn()) {
                try await $0.get(ScheduleCommand.path)
            }
            try output.show(schedule, text: ScheduleCommand.report)
        }
    }

    struct Set: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Set the schedule. What is left out gets its default; nothing of an earlier one is kept.")

        @Option(help: "Train again so many days after the latest model's dataset, 1 to 365.") var everyDays: Int?
        @Option(help: "Train again when so many outcomes are new, 1 to 100000.") var newOutcomes: Int?
        @Flag(help: "Deploy a model that passes its gates and is no worse than the deployed one.")
        var deployAutomatically = false
        @Option(
            help: """
                For so many days at least such a model answers beside the deployed one, unseen, 0 to 180; \
                \(TrainingScheduleRequest.shadowDays) when left out, 0 deploys it at once.
                """)
        var shadowDays: Int?
        @Option(
            help: """
                Tasks whose outcome must be known before the two are compared, 20 to 10000; \
                \(TrainingScheduleRequest.shadowOutcomes) when left out.
                """)
        var shadowOutcomes: Int?
        @OptionGroup var training: JobOptions
        @OptionGroup var output: OutputOptions

        var request: TrainingScheduleRequest {
            TrainingScheduleRequest(
                everyDays: everyDays, newOutcomes: newOutcomes, months: training.months, epochs: training.epochs,
                seed: training.seed, hyperparameters: training.hyperparameters,
                deployAutomatically: deployAutomatically ? true : nil, shadowDays: shadowDays,
                shadowOutcomes: shadowOutcomes)
        }

        func validate() throws {
            guard everyDays != nil || newOutcomes != nil else {
                throw ValidationError("--every-days or --new-outcomes must be given: they say when to train.")
            }
            guard deployAutomatically || (shadowDays == nil && shadowOutcomes == nil) else {
                throw ValidationError(
                    "--shadow-days and --shadow-outcomes are for models that are deployed by themselves: "
                        + "give --deploy-automatically too.")
            }
        }

        func run() async throws {
            let schedule: TrainingSchedule = try await withClient(PlatformClient.loggedIn()) {
                try await $0.put(ScheduleCommand.path, request)
            }
            try output.show(schedule, text: ScheduleCommand.report)
        }
    }

    struct Remove: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Train only on request.")

        @OptionGroup var output: OutputOptions

        func run() async throws {
            try await withClient(PlatformClient.loggedIn()) { try await $0.delete(ScheduleCommand.path) }
            try output.show(["removed": true]) { _ in "Models are trained only on request." }
        }
    }

    /// When, on what, and how it stands.
    static func report(_ schedule: TrainingSchedule) -> String {
        let days = schedule.everyDays.map { "every \($0) day\($0 == 1 ? "" : "s")" }
        let outcomes = schedule.newOutcomes.map { "after \($0) new outcome\($0 == 1 ? "" : "s")" }
        let deployment = schedule.deployAutomatically ? "deployed automatically" : "deployed by hand"
        var lines = [
            "Trains \([days, outcomes].compactMap(\.self).joined(separator: " or ")) on \(schedule.months) months; models are "
                + "\(deployment)."
        ]
        if schedule.deployAutomatically {
            lines.append(
                schedule.shadowDays == 0
                    ? "They take over at once, without a shadow."
                    : "First they answer unseen beside the deployed one, for at least \(schedule.shadowDays) "
                        + "day\(schedule.shadowDays == 1 ? "" : "s") and \(schedule.shadowOutcomes) known outcomes.")
        }
        lines.append(schedule.state.explanation)
        if schedule.state.failures > 0 {
            lines.append("Failed jobs since the last success: \(schedule.state.failures).")
        }
        if let deployment = schedule.state.deployment { lines.append(deployment) }
        if let shadow = schedule.state.shadow { lines += ["", ModelsCommand.report(shadow)] }
        return lines.joined(separator: "\n")
    }
}
