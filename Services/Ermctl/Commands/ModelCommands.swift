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

    /// The model's card, and all candidates beside each other.
    static func report(_ model: Model) -> String {
        [model.card, CandidateTable(model)?.rendered()].compactMap(\.self).joined(separator: "\n\n")
    }

    static func table(_ models: [ModelSummary]) -> String {
        var table = Table(
            ("VERSION", .right), ("KIND", .left), ("STATUS", .left), ("ACCURACY", .right), ("F1", .right),
            ("CREATED", .left), ("ID", .left))
        for model in models {
            table.add(
                "\(model.version)", model.kind, model.status.rawValue, model.accuracyScore.fixed(3),
                model.f1Score.fixed(3),
                WireJSON.timestamp(model.createdAt), model.id.description)
        }
        return table.rendered()
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
