import ArgumentParser
import Contracts

struct PeopleCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "people", abstract: "The people whose work is planned.",
        subcommands: [List.self, Add.self, Hours.self, Left.self, Hold.self])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List people, all or those who fit.")

        @Option(help: "A part of the name.") var name: String?
        @Option(help: "A skill, by its name or an alias.") var skill: String?
        @Option(help: "The least level of that skill, 1 to 5.") var level: Int?
        @Option(help: "A department.") var department: String?
        @Option(help: "Employed on this day and not on hold.") var activeOn: String?
        @OptionGroup var output: OutputOptions

        func run() async throws {
            var parameters = Parameters()
            parameters.add("name", name)
            parameters.add("skill", skill)
            parameters.add("level", level.map(String.init))
            parameters.add("department", department)
            parameters.add("activeOn", activeOn)
            let path = parameters.path("/api/v1/employees")
            let people = try await withClient(PlatformClient.loggedIn()) { try await $0.list(path, of: Employee.self) }
            try output.show(people, text: PeopleCommand.table)
        }
    }

    struct Add: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Add a person.")

        @Argument(help: "The external id, such as the number in the HR system.") var externalID: String
        @Option(help: "The person's name.") var name: String
        @Option(help: "The e-mail address.") var email: String?
        @Option(help: "The department; made if there is none.") var department: String?
        @Option(help: "Hours a week, as five equal days; the tenant's usual when left out.") var weeklyHours: Double?
        @Option(help: "The first day worked.") var hiredOn: String?
        @OptionGroup var output: OutputOptions

        func run() async throws {
            var body: [String: JSONValue] = ["externalId": .string(externalID), "name": .string(name)]
            if let email { body["email"] = .string(email) }
            if let department { body["department"] = .string(department) }
            if let weeklyHours { body["weeklyCapacityHours"] = .number(weeklyHours) }
            if let hiredOn { body["hiredOn"] = .string(hiredOn) }
            let made: Written<Employee> = try await withClient(PlatformClient.loggedIn()) { [body] in
                try await $0.write("POST", "/api/v1/employees", body)
            }
            try output.show(made) {
                $0.text { "Added \($0.name) (\($0.externalId)), \($0.weeklyCapacityHours.fixed(1)) hours a week." }
            }
        }
    }

    /// What the commands that change one person share.
    struct Change: ParsableArguments {
        @Argument(help: "The person's external id.") var externalID: String
        @OptionGroup var mode: DryRunOption
        @OptionGroup var output: OutputOptions

        func run(_ body: [String: JSONValue], _ sentence: (Employee) -> String) async throws {
            let changed: Written<Employee> = try await withClient(PlatformClient.loggedIn()) { client in
                let person = try await client.employee(externalID)
                return try await client.write("PATCH", mode.path("/api/v1/employees/\(person.id)"), body)
            }
            try output.show(changed) { written in mode.words + written.text(sentence) }
        }
    }

    struct Hours: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Change a person's weekly hours from a day on; the time before keeps its contract.")

        @OptionGroup var change: Change
        @Argument(help: "Hours a week, as five equal days.") var weeklyHours: Double
        @Option(help: "From this day on; today when left out.") var from: String?

        func run() async throws {
            var body: [String: JSONValue] = ["weeklyCapacityHours": .number(weeklyHours)]
            if let from { body["effectiveFrom"] = .string(from) }
            try await change.run(body) {
                "\($0.name) works \(weeklyHours.fixed(1)) hours a week from \(from ?? "today") on."
            }
        }
    }

    struct Left: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Set or remove the day on which a person leaves.")

        @OptionGroup var change: Change
        @Option(help: "The last day worked; left out, the person stays.") var lastDay: String?

        func run() async throws {
            try await change.run(["leftOn": lastDay.map(JSONValue.string) ?? .null]) { person in
                person.leftOn.map { "\(person.name) works until \($0)." } ?? "\(person.name) stays."
            }
        }
    }

    struct Hold: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Put a person on hold, so that no work is planned for them, or end the hold.")

        @OptionGroup var change: Change
        @Option(help: "From this day on.") var from: String?
        @Flag(help: "Lift the hold.") var lift = false

        func validate() throws {
            guard lift != (from != nil) else { throw ValidationError("Give either --from or --lift.") }
        }

        func run() async throws {
            try await change.run(["inactiveFrom": from.map(JSONValue.string) ?? .null]) { person in
                person.inactiveFrom.map { "No work is to be planned for \(person.name) from \($0) on." }
                    ?? "\(person.name) can be planned again."
            }
        }
    }

    static func table(_ people: [Employee]) -> String {
        var table = Table(
            ("ID", .left), ("NAME", .left), ("DEPARTMENT", .left), ("HOURS/WEEK", .right), ("ACTIVE", .left),
            ("EMPLOYED", .left), ("SKILLS", .left))
        for person in people {
            let employed = "\(person.hiredOn?.description ?? "…") – \(person.leftOn?.description ?? "…")"
            let skills = person.skills.map { skill in skill.skill + (skill.level.map { " \($0)" } ?? "") }
            table.add(
                person.externalId, person.name, person.department ?? "–", person.weeklyCapacityHours.fixed(1),
                person.isActive ? "yes" : "no", employed, skills.joined(separator: ", "))
        }
        return table.rendered()
    }
}

/// Whether a write is only tried.
struct DryRunOption: ParsableArguments {
    @Flag(help: "Say all that would happen and change nothing.")
    var dryRun = false

    /// In front of a sentence that says what would be so.
    var words: String { dryRun ? "Dry run: " : "" }

    func path(_ path: String) -> String { dryRun ? "\(path)?dryRun=true" : path }
}
