import ArgumentParser
import Contracts

struct BookingsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bookings", abstract: "Who works on what, when and how much.",
        subcommands: [List.self, Add.self, Change.self, Cancel.self])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List bookings, all or those that fit.")

        @Option(help: "A person's external id.") var person: String?
        @Option(help: "A project's external id.") var project: String?
        @Option(help: "A required skill.") var skill: String?
        @Option(help: "First day of a window.") var from: String?
        @Option(help: "Last day of it.") var to: String?
        @Flag(help: "Only those that are not finished.") var open = false
        @OptionGroup var output: OutputOptions

        func run() async throws {
            let found = try await withClient(PlatformClient.loggedIn()) { client in
                var parameters = Parameters()
                if let person { parameters.add("employeeId", try await client.employee(person).id.description) }
                if let project { parameters.add("projectId", try await client.project(project).id.description) }
                parameters.add("skill", skill)
                parameters.add("from", from)
                parameters.add("to", to)
                if open { parameters.add("isCompleted", "false") }
                return try await client.list(parameters.path("/api/v1/allocations"), of: AllocationDetail.self)
            }
            try output.show(found, text: BookingsCommand.table)
        }
    }

    /// How much, in one of three ways.
    struct EffortOptions: ParsableArguments {
        @Option(help: "Hours, all together.") var hours: Double?
        @Option(help: "Hours on each working day.") var hoursPerDay: Double?
        @Option(help: "Percent of the person's capacity.") var percent: Double?

        var body: [String: JSONValue] {
            var body: [String: JSONValue] = [:]
            if let hours { body["allocatedHours"] = .number(hours) }
            if let hoursPerDay { body["hoursPerDay"] = .number(hoursPerDay) }
            if let percent { body["allocationPercentage"] = .number(percent) }
            return body
        }

        /// The way that is stated takes the place of the others.
        var replacement: [String: JSONValue] {
            guard !body.isEmpty else { return [:] }
            return ["allocatedHours": .null, "hoursPerDay": .null, "allocationPercentage": .null]
                .merging(body) { $1 }
        }
    }

    struct Add: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Book a person on a project.")

        @Argument(help: "The booking's external id.") var externalID: String
        @Option(help: "The person's external id.") var person: String
        @Option(help: "The project's external id.") var project: String
        @Option(help: "The first day.") var from: String
        @Option(help: "The last day; left out, the hours last as long as they do.") var to: String?
        @Flag(help: "Not firm yet.") var soft = false
        @OptionGroup var effort: EffortOptions
        @OptionGroup var mode: DryRunOption
        @OptionGroup var output: OutputOptions

        func run() async throws {
            let made: Written<AllocationDetail> = try await withClient(PlatformClient.loggedIn()) { client in
                var body = effort.body
                body["externalId"] = .string(externalID)
                body["employeeId"] = .string(try await client.employee(person).id.description)
                body["projectId"] = .string(try await client.project(project).id.description)
                body["startDate"] = .string(from)
                if let to { body["endDate"] = .string(to) }
                if soft { body["commitment"] = .string(Commitment.soft.rawValue) }
                return try await client.write("POST", mode.path("/api/v1/allocations"), body)
            }
            try output.show(made) { written in
                written.text {
                    "\(mode.dryRun ? "Would book" : "Booked") \(person) on \(project): \(BookingsCommand.effort($0))."
                }
            }
        }
    }

    struct Change: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Change a booking: its days, its effort, its person or its project.")

        @Argument(help: "The booking's external id.") var externalID: String
        @Option(help: "Give it to this person.") var person: String?
        @Option(help: "Move it to this project.") var project: String?
        @Option(help: "The first day.") var from: String?
        @Option(help: "The last day.") var to: String?
        @Option(help: "hard or soft.") var commitment: String?
        @OptionGroup var effort: EffortOptions
        @OptionGroup var mode: DryRunOption
        @OptionGroup var output: OutputOptions

        func run() async throws {
            let changed: Written<AllocationDetail> = try await withClient(PlatformClient.loggedIn()) { client in
                var body = effort.replacement
                if let person { body["employeeId"] = .string(try await client.employee(person).id.description) }
                if let project { body["projectId"] = .string(try await client.project(project).id.description) }
                if let from { body["startDate"] = .string(from) }
                if let to { body["endDate"] = .string(to) }
                if let commitment { body["commitment"] = .string(commitment) }
                let id = try await client.booking(externalID).allocation.id
                return try await client.write("PATCH", mode.path("/api/v1/allocations/\(id)"), body)
            }
            try output.show(changed) { written in
                written.text { "\(externalID) \(mode.dryRun ? "would be" : "is") now \(BookingsCommand.effort($0))." }
            }
        }
    }

    struct Cancel: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Cancel a booking, or take that back.")

        @Argument(help: "The booking's external id.") var externalID: String
        @Flag(help: "Take a cancellation back.") var undo = false
        @OptionGroup var mode: DryRunOption
        @OptionGroup var output: OutputOptions

        func run() async throws {
            let changed: Written<AllocationDetail> = try await withClient(PlatformClient.loggedIn()) { client in
                let id = try await client.booking(externalID).allocation.id
                return try await client.write(
                    "PATCH", mode.path("/api/v1/allocations/\(id)"), ["isCancelled": JSONValue.bool(!undo)])
            }
            try output.show(changed) { written in
                mode.words
                    + written.text {
                        "\($0.allocation.externalId) \($0.allocation.isCancelled ? "is cancelled" : "counts again")."
                    }
            }
        }
    }

    /// As stated, or else as it is derived.
    static func effort(_ booking: AllocationDetail) -> String {
        let (stated, derived) = (booking.allocation, booking.derived)
        let hours =
            stated.allocatedHours.map { "\($0.fixed(1)) h" } ?? derived.allocatedHours.map { "(\($0.fixed(1)) h)" }
        let perDay =
            stated.hoursPerDay.map { "\($0.fixed(1)) h a day" }
            ?? derived.hoursPerDay.map { "(\($0.fixed(1)) h a day)" }
        let share =
            stated.allocationPercentage.map { "\($0.fixed(0)) %" }
            ?? derived.allocationPercentage.map { "(\($0.fixed(0)) %)" }
        let ways = [hours, perDay, share].compactMap(\.self)
        let last = stated.endDate ?? derived.endDate
        return (ways.isEmpty ? "no effort" : ways.joined(separator: ", "))
            + ", \(stated.startDate) – \(last?.description ?? "…")"
    }

    static func table(_ bookings: [AllocationDetail]) -> String {
        var table = Table(
            ("ID", .left), ("COMMITMENT", .left), ("EFFORT (DERIVED IN BRACKETS)", .left), ("SKILLS", .left))
        for booking in bookings {
            let state = booking.allocation.isCancelled ? "cancelled" : booking.allocation.commitment.rawValue
            table.add(
                booking.allocation.externalId, state, effort(booking),
                booking.allocation.requiredSkills.joined(separator: ", "))
        }
        return table.rendered()
    }
}
