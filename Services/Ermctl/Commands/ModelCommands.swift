import ArgumentParser
import Contracts

struct ModelsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "models", abstract: "List the tenant's models, or show one with its card.")

    @Argument(help: "A model's id.") var model: String?
    @OptionGroup var output: OutputOptions

    func run() async throws {
        try await withClient(PlatformClient.loggedIn()) { client in
            if let model {
                let id = try ModelID(argument: model)
                try output.show(try await client.get("/api/v1/models/\(id)", Model.self), text: Self.report)
            } else {
                try output.show(try await client.list("/api/v1/models", of: ModelSummary.self), text: Self.table)
            }
        }
    }

    /// The model's card, all candidates beside each other, and what comes of its shadow.
    static func report(_ model: Model) -> String {
        [model.card, CandidateTable(model)?.rendered(), model.shadow.map(report)].compactMap(\.self).joined(
            separator: "\n\n")
    }

    /// How a model does that answers, or has answered, beside the deployed one.
    static func report(_ shadow: ModelShadow) -> String {
        var lines = [
            shadow.state == .running
                ? "Shadow: version \(shadow.version) answers beside the deployed model since "
                    + "\(WireJSON.timestamp(shadow.startedAt)), until \(WireJSON.timestamp(shadow.endsAt)) at the latest."
                : "Shadow: version \(shadow.version) answered beside the deployed model from "
                    + "\(WireJSON.timestamp(shadow.startedAt)); \(shadow.state.rawValue)."
        ]
        if let figures = shadow.figures {
            lines.append("\(figures.answers) questions answered by both, \(figures.outcomes) outcomes known.")
            if let comparison = figures.comparison {
                lines.append(
                    "Mean error in hours: \(comparison.meanAbsoluteError.fixed(2)), deployed model "
                        + "\(comparison.incumbentMeanAbsoluteError.fixed(2)); difference \(comparison.meanDifference.fixed(2)) "
                        + "(95 %: \(comparison.low.fixed(2)) to \(comparison.high.fixed(2))).")
            }
        }
        lines.append(shadow.note)
        return lines.joined(separator: "\n")
    }

    static func table(_ models: [ModelSummary]) -> String {
        var table = Table(
            ("VERSION", .right), ("KIND", .left), ("STATUS", .left), ("ACCURACY", .right), ("F1", .right),
            ("REFUSED", .left), ("CREATED", .left), ("ID", .left))
        for model in models {
            table.add(
                "\(model.version)", model.kind, model.status.rawValue, model.accuracyScore.fixed(3),
                model.f1Score.fixed(3), refused(model.refusals), WireJSON.timestamp(model.createdAt),
                model.id.description)
        }
        return table.rendered()
    }

    /// What a model's gates have refused; its card says why.
    private static func refused(_ refusals: [GateRefusal]?) -> String {
        guard let refusals else { return "see its card" }
        let subjects = GateRefusal.Subject.allCases.filter { subject in refusals.contains { $0.refused == subject } }
        return subjects.isEmpty ? "–" : subjects.map(\.rawValue).joined(separator: ", ")
    }
}

struct DeployCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "deploy", abstract: "Let a model answer the tenant's predictions.")

    @Argument(help: "The model's id.") var model: String
    @Flag(help: "Deploy it although it has not passed its gates; this is recorded.") var force = false
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let id = try ModelID(argument: model)
        let deployed: Model = try await withClient(PlatformClient.loggedIn()) {
            try await $0.post("/api/v1/models/\(id)/deploy", DeployModelRequest(force: force ? true : nil))
        }
        try output.show(deployed) { "Version \($0.version) (\($0.kind)) now answers predictions." }
    }
}

extension Identifier {
    /// - Throws: a usage error when the argument is not a UUID.
    init(argument: String) throws {
        guard let id = Self(argument) else { throw ValidationError("'\(argument)' is not a UUID") }
        self = id
    }
}
