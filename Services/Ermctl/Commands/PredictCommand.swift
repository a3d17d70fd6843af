import ArgumentParser
import Contracts

struct PredictCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "predict", abstract: "Ask for the hours and chances of one person on one project.")

    @Option(help: "The employee: id or external id.") var employee: String
    @Option(help: "The project: id or external id.") var project: String
    @Option(help: "Skills needed, separated by semicolons; the project's own when left out.") var skills: String?
    @Option(help: "The hours planned.") var planned: Double?

    @Option(help: "Percent of the person's capacity that the booking is to take.")
    var percentage: Double?
    @Option(help: "Hours of each working day that the booking is to take, instead of the percentage.")
    var hoursPerDay: Double?
    @Option(help: "First day, YYYY-MM-DD.") var start: String?
    @Option(help: "Last day, YYYY-MM-DD.") var end: String?
    @Option(help: "Use only what was known before this moment (ISO 8601).") var asOf: String?
    @OptionGroup var output: OutputOptions

    func run() async throws {
        try await withClient(PlatformClient.loggedIn()) { client in
            let request = PredictionRequest(
                employeeId: try await Lookup.employee(employee, client),
                projectId: try await Lookup.project(project, client),
                requiredSkills: skills?.split(separator: ";").map(String.init),
                plannedHours: planned,
                allocationPercentage: percentage,
                hoursPerDay: hoursPerDay,
                startDate: try start.map { try Self.day($0, "--start") },
                endDate: try end.map { try Self.day($0, "--end") },
                asOf: try asOf.map { text in
                    guard let date = WireJSON.date(text) else {
                        throw ValidationError("--as-of must be an ISO 8601 time")
                    }
                    return date
                })
            let prediction: Prediction = try await client.post("/api/v1/predictions", request)
            try output.show(prediction, text: Self.text)
        }
    }

    private static func day(_ text: String, _ option: String) throws -> CivilDate {
        guard let day = CivilDate(text) else { throw ValidationError("\(option) must be a date like 2026-01-31") }
        return day
    }

    static func text(_ prediction: Prediction) -> String {
        var lines = [
            "estimated hours      \(prediction.estimatedHours.fixed(2))",
            "success probability  \(percent(prediction.successProbability))",
            "confidence           \(prediction.confidence.map { "\($0.fixed(0)) % to be within a quarter" } ?? "cannot say")",
        ]
        lines += prediction.intervals.map {
            "\(Int(($0.level * 100).rounded())) % interval        \($0.low.fixed(2)) to \($0.high.fixed(2)) h"
        }
        lines.append("allocation           \(prediction.recommendedAllocation.fixed(1)) %")
        if let note = prediction.allocationNote { lines.append("                     \(note)") }
        for warning in prediction.warnings ?? [] { lines.append("mind                 \(warning)") }
        lines.append("model                version \(prediction.model.version), \(prediction.model.kind)")
        for (place, reason) in prediction.explanation.enumerated() {
            let start = place == 0 ? "because              " : "                     "
            lines.append("\(start)×\(reason.effect.fixed(2))  \(reason.text ?? reason.feature)")
        }
        guard !prediction.alternativeOptions.isEmpty else { return lines.joined(separator: "\n") }
        var table = Table(
            ("RANK", .right), ("WHO", .left), ("HOURS", .right), ("SUCCESS", .right), ("FREE", .right),
            ("SKILLS", .right), ("SCORE", .right))
        // The person asked about stands among the others, where comparison puts them.
        let options = prediction.alternativeOptions + (prediction.standing.map { [$0] } ?? [])
        for option in options.sorted(by: { ($0.rank ?? 0) < ($1.rank ?? 0) }) {
            let isAsked = option.employeeId == prediction.standing?.employeeId
            table.add(
                option.rank.map { "\($0)" } ?? "–", option.name + (isAsked ? " (asked about)" : ""),
                option.estimatedHours.fixed(2), percent(option.successProbability), percent(option.availability),
                percent(option.skillFit ?? option.skillMatch), option.score.fixed(3))
        }
        return lines.joined(separator: "\n") + "\n\n" + table.rendered()
    }

    private static func percent(_ share: Double?) -> String { share.map { "\(($0 * 100).fixed(0)) %" } ?? "–" }
}

/// Finds a row by its id or by the id the customer's own system gave it.
enum Lookup {
    static func employee(_ text: String, _ client: PlatformClient) async throws -> EmployeeID {
        if let id = EmployeeID(text) { return id }
        return try await found(text, as: "employee", of: Employee.self, client).id
    }

    static func project(_ text: String, _ client: PlatformClient) async throws -> ProjectID {
        if let id = ProjectID(text) { return id }
        return try await found(text, as: "project", of: Project.self, client).id
    }

    private static func found<Item: Codable & Sendable>(
        _ externalID: String, as noun: String, of type: Item.Type, _ client: PlatformClient
    ) async throws -> Item {
        let path = "/api/v1/\(noun)s?externalId=\(PlatformClient.escaped(externalID))"
        guard let item = try await client.list(path, of: type, atMost: 1).first else {
            throw CommandFailure("There is no \(noun) with the external id '\(externalID)'.")
        }
        return item
    }
}
