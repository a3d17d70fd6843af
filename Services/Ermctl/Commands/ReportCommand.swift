import ArgumentParser
import Contracts

struct ReportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "report", abstract: "Ask for a report: who is free, who is over-booked, how full everybody is.")

    /// As below /reports of the API.
    enum Name: String, CaseIterable, ExpressibleByArgument {
        case utilization, availability, orphans
        case overAllocations = "over-allocations"
    }

    @Argument(help: "Which report.") var name: Name
    @Option(help: "The first day.") var from: String
    @Option(help: "The last day.") var to: String
    @Option(help: "Only this department.") var department: String?
    @Option(help: "Only this person, by external id.") var person: String?
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let rows = try await withClient(PlatformClient.loggedIn()) { client in
            var parameters = Parameters()
            parameters.add("from", from)
            parameters.add("to", to)
            parameters.add("department", department)
            if let person { parameters.add("employeeId", try await client.employee(person).id.description) }
            return try await client.list(parameters.path("/api/v1/reports/\(name.rawValue)"), of: JSONValue.self)
        }
        try output.show(rows) { ReportTable($0).rendered() }
    }
}

/// The rows of a report as a table: a column for each figure, whatever the report; lists are counted.
struct ReportTable {
    private let rows: [[String: String]]

    init(_ rows: [JSONValue]) {
        self.rows = rows.map { row in
            var cells: [String: String] = [:]
            Self.flatten(row, "", into: &cells)
            return cells
        }
    }

    private static func flatten(_ value: JSONValue, _ name: String, into cells: inout [String: String]) {
        switch value {
        case .object(let members):
            for (key, member) in members where key != "id" {
                flatten(member, name.isEmpty ? key : "\(name).\(key)", into: &cells)
            }
        case .array(let entries):
            let texts = entries.compactMap(\.stringValue)
            cells[name] = texts.count == entries.count ? texts.joined(separator: ", ") : "\(entries.count)"
        case .string(let text): cells[name] = text
        case .integer(let number): cells[name] = String(number)
        case .number(let number): cells[name] = number.fixed(2)
        case .bool(let flag): cells[name] = flag ? "yes" : "no"
        case .null: cells[name] = "–"
        }
    }

    /// Who comes first, then the figures by name.
    private var columns: [String] {
        let first = ["employee.externalId", "employee.name", "employee.department"]
        let all = Set(rows.flatMap(\.keys))
        return first.filter(all.contains) + all.subtracting(first).sorted()
    }

    func rendered() -> String {
        guard !rows.isEmpty else { return "Nobody." }
        let columns = columns
        let titles = columns.map { $0.replacing("employee.", with: "") }
        let widths = columns.indices.map { index in
            rows.reduce(titles[index].count) { max($0, ($1[columns[index]] ?? "–").count) }
        }
        func line(_ cells: [String]) -> String {
            cells.indices.map { cells[$0] + String(repeating: " ", count: widths[$0] - cells[$0].count) }
                .joined(separator: "  ")
        }
        let body = rows.map { row in line(columns.map { row[$0] ?? "–" }) }
        return ([line(titles), line(widths.map { String(repeating: "─", count: $0) })] + body).joined(separator: "\n")
    }
}
