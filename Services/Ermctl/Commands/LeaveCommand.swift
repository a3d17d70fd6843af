import ArgumentParser
import Contracts

struct LeaveCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "leave", abstract: "When people are away.",
        subcommands: [List.self, Add.self, Approve.self, Remove.self])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List leave, all or what fits.")

        @Option(help: "A person's external id.") var person: String?
        @Option(help: "First day of a window.") var from: String?
        @Option(help: "Last day of it.") var to: String?
        @Option(help: "requested or approved.") var status: String?
        @OptionGroup var output: OutputOptions

        func run() async throws {
            let (found, names) = try await withClient(PlatformClient.loggedIn()) { client in
                var parameters = Parameters()
                if let person { parameters.add("employeeId", try await client.employee(person).id.description) }
                parameters.add("from", from)
                parameters.add("to", to)
                parameters.add("status", status)
                let found = try await client.list(parameters.path("/api/v1/leave"), of: EmployeeLeave.self)
                var names: [EmployeeID: String] = [:]
                for id in Set(found.map(\.employeeId)) {
                    names[id] = try await client.get("/api/v1/employees/\(id)", Employee.self).name
                }
                return (found, names)
            }
            try output.show(found) { leave in
                var table = Table(
                    ("ID", .left), ("PERSON", .left), ("FROM", .left), ("TO", .left), ("A DAY", .right),
                    ("KIND", .left),
                    ("STATUS", .left))
                for one in leave.sorted(by: { ($0.firstDay, $0.externalId) < ($1.firstDay, $1.externalId) }) {
                    table.add(
                        one.externalId, names[one.employeeId] ?? one.employeeId.description, one.firstDay.description,
                        one.lastDay.description, one.minutesPerDay.map { "\((Double($0) / 60).fixed(1)) h" } ?? "whole",
                        one.kind, one.status.rawValue)
                }
                return table.rendered()
            }
        }
    }

    struct Add: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Add leave of a person.")

        @Argument(help: "The person's external id.") var person: String
        @Argument(help: "The first day.") var firstDay: String
        @Argument(help: "The last day; the first when left out.") var lastDay: String?
        @Option(help: "vacation, sick, … in the company's own words.") var kind: String?
        @Option(help: "Hours of each day; whole days when left out.") var hoursPerDay: Double?
        @Option(help: "The leave's external id; made when left out.") var externalID: String?
        @Flag(help: "It is approved already.") var approved = false
        @OptionGroup var mode: DryRunOption
        @OptionGroup var output: OutputOptions

        func run() async throws {
            let (first, last) = (
                try CivilDate.argument(firstDay, "The first day"), try CivilDate.argument(lastDay, "The last day")
            )
            let made: Written<EmployeeLeave> = try await withClient(PlatformClient.loggedIn()) { client in
                let request = CreateLeaveRequest(
                    externalId: externalID, employeeId: try await client.employee(person).id, firstDay: first,
                    lastDay: last ?? first, minutesPerDay: hoursPerDay.map { Int(($0 * 60).rounded()) }, kind: kind,
                    status: approved ? .approved : .requested)
                return try await client.write("POST", mode.path("/api/v1/leave"), request)
            }
            try output.show(made) { written in
                written.text {
                    "\(mode.dryRun ? "Would add" : "Added") \($0.status.rawValue) leave \($0.externalId) of \(person), \($0.firstDay) – \($0.lastDay)."
                }
            }
        }
    }

    struct Approve: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Approve leave that is requested.")

        @Argument(help: "The leave's external id.") var externalID: String
        @OptionGroup var mode: DryRunOption
        @OptionGroup var output: OutputOptions

        func run() async throws {
            let changed: Written<EmployeeLeave> = try await withClient(PlatformClient.loggedIn()) { client in
                let id = try await client.leave(externalID).id
                return try await client.write(
                    "PATCH", mode.path("/api/v1/leave/\(id)"), ["status": LeaveStatus.approved.rawValue])
            }
            try output.show(changed) { written in
                mode.words + written.text { "Leave \($0.externalId) is \($0.status.rawValue)." }
            }
        }
    }

    struct Remove: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Take leave away again.")

        @Argument(help: "The leave's external id.") var externalID: String
        @OptionGroup var output: OutputOptions

        func run() async throws {
            try await withClient(PlatformClient.loggedIn()) { client in
                try await client.delete("/api/v1/leave/\(try await client.leave(externalID).id)")
            }
            try output.show(["removed": externalID]) { _ in "Leave \(externalID) is taken away." }
        }
    }
}
