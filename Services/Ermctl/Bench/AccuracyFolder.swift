import Contracts
import Forecasting
import Foundation

/// A folder in the import format (docs/architecture.md#import-format) with a `split.csv`, read straight into a history:
/// no database needed.
struct AccuracyFolder {
    var allocations: [Forecasting.Allocation] = []
    var projects: [ProjectFacts] = []
    var employees: [EmployeeFacts] = []
    var capacity: [CapacityDay] = []
    var parts: [String: TrainingConfiguration.Part] = [:]

    var history: History {
        History(allocations: allocations, projects: projects, employees: employees, capacity: capacity)
    }

    /// - Parameter titles: whether `titles.csv`, where there is one, is joined.
    init(path: String, titles: Bool = true) throws {
        let titled = titles ? try Self.titles(path) : [:]
        allocations = try ImportTable(
            path, "allocations.csv", needing: ["external_id", "employee_external_id", "actual_hours", "completed_at"]
        ).rows.map { row in
            var allocation = try Self.allocation(row)
            if let title = titled[allocation.id] { allocation.title = title }
            if !titles { allocation.title = nil }
            return allocation
        }
        parts = try Self.parts(ImportTable(path, "split.csv"))
        projects = try ImportTable(path, "projects.csv", isOptional: true).rows.map { row in
            ProjectFacts(
                id: try row.required("external_id"),
                status: row.text("status").flatMap(ProjectFacts.Status.init) ?? .inProgress,
                completionPercent: try row.number("completion_percentage"), start: try row.moment("start_date"),
                estimatedEnd: try row.moment("estimated_end_date"), end: try row.moment("end_date"))
        }
        employees = try ImportTable(path, "employees.csv", isOptional: true).rows.map { row in
            EmployeeFacts(
                id: try row.required("external_id"), weeklyCapacityHours: try row.number("weekly_capacity_hours") ?? 40)
        }
        capacity = try ImportTable(path, "capacity_history.csv", isOptional: true).rows.compactMap { row in
            guard let day = try row.moment("date"), let rate = try row.number("utilization_rate") else { return nil }
            return CapacityDay(employee: try row.required("employee_external_id"), day: day, utilisation: rate)
        }
    }

    /// By external id.
    private static func titles(_ path: String) throws -> [String: String] {
        var titles: [String: String] = [:]
        for row in try ImportTable(path, "titles.csv", isOptional: true).rows {
            titles[try row.required("external_id")] = row.text("title")
        }
        return titles
    }

    private static func allocation(_ row: ImportRow) throws -> Forecasting.Allocation {
        let start = try row.moment("start_date")
        let completed = try row.moment("completed_at")
        guard let decided = try row.moment("created_at") ?? start ?? completed else {
            throw CommandFailure(
                "\(row.place): neither created_at nor start_date is known, so no moment of decision is.")
        }
        var labels: [String: String] = [:]
        for pair in row.text("labels")?.split(separator: ";") ?? [] {
            let halves = pair.split(separator: "=", maxSplits: 1)
            if halves.count == 2 { labels[String(halves[0])] = String(halves[1]) }
        }
        return Forecasting.Allocation(
            id: try row.required("external_id"), employee: try row.required("employee_external_id"),
            // Work on no project in particular is a project like any other.
            project: row.text("project_external_id") ?? "",
            skills: row.text("required_skills")?.split(separator: ";").map(String.init) ?? [], labels: labels,
            plannedHours: try row.hours("allocated_hours") ?? 0,
            allocationPercent: try row.number("allocation_percentage"), actualHours: try row.hours("actual_hours"),
            start: start, plannedEnd: try row.moment("end_date"), decidedAt: decided, completedAt: completed,
            title: row.text("title"), hoursPerDay: try row.number("hours_per_day").flatMap { $0 > 0 ? $0 : nil })
    }

    /// Test rows of `split.csv` that `allocations.csv` does not have: there is nothing to ask about them.
    var unknownTestRows: [String] {
        let known = Set(allocations.lazy.map(\.id))
        return parts.filter { $0.value == .test && !known.contains($0.key) }.keys.sorted()
    }

    /// `external_id,part`; the names of the columns do not matter, their order does.
    private static func parts(_ table: ImportTable) throws -> [String: TrainingConfiguration.Part] {
        var parts: [String: TrainingConfiguration.Part] = [:]
        for row in table.rows {
            guard row.fields.count >= 2, let part = TrainingConfiguration.Part(rawValue: row.fields[1]) else {
                throw CommandFailure("\(row.place): the part must be train, valid, test or purged.")
            }
            guard parts.updateValue(part, forKey: row.fields[0]) ?? part == part else {
                throw CommandFailure("\(row.place): \(row.fields[0]) was of another part before.")
            }
        }
        return parts
    }
}

/// A CSV file with a header.
private struct ImportTable {
    var rows: [ImportRow] = []

    /// - Parameter needing: columns that the header must have.
    init(_ folder: String, _ file: String, isOptional: Bool = false, needing: [String] = []) throws {
        let url = URL(fileURLWithPath: folder).appendingPathComponent(file)
        guard FileManager.default.fileExists(atPath: url.path) else {
            if isOptional { return }
            throw CommandFailure("\(url.path) does not exist.")
        }
        let lines: [CSVReader.Row]
        do {
            lines = try CSVReader.rows(of: Data(contentsOf: url))
        } catch let error as CSVReader.SyntaxError {
            throw CommandFailure("\(file), \(error)")
        }
        guard let header = lines.first else {
            if needing.isEmpty { return }
            throw CommandFailure("\(file) is empty.")
        }
        var columns: [String: Int] = [:]
        for (index, name) in header.fields.enumerated() { columns[name] = index }
        let missing = needing.filter { columns[$0] == nil }
        guard missing.isEmpty else {
            throw CommandFailure("\(file) has no column \(missing.joined(separator: ", ")).")
        }
        rows = lines.dropFirst().map { ImportRow(file: file, line: $0.line, fields: $0.fields, columns: columns) }
    }
}

private struct ImportRow {
    let file: String
    let line: Int
    let fields: [String]
    let columns: [String: Int]

    var place: String { "\(file), line \(line)" }

    /// Nil when empty or absent: both mean unknown.
    func text(_ column: String) -> String? {
        guard let index = columns[column], index < fields.count, !fields[index].isEmpty else { return nil }
        return fields[index]
    }

    func required(_ column: String) throws -> String {
        guard let text = text(column) else { throw CommandFailure("\(place): \(column) is missing.") }
        return text
    }

    func number(_ column: String) throws -> Double? {
        guard let text = text(column) else { return nil }
        guard let value = Double(text), value.isFinite else {
            throw CommandFailure("\(place): \(column) is not a number: \(text)")
        }
        return value
    }

    /// As in an import, no allocation has more hours than a million.
    func hours(_ column: String) throws -> Double? {
        let value = try number(column)
        guard value ?? 0 <= 1_000_000 else {
            throw CommandFailure("\(place): \(column) must not be above 1000000.")
        }
        return value
    }

    /// Seconds since 1970 of a civil date or an ISO 8601 moment in UTC.
    func moment(_ column: String) throws -> Double? {
        guard let text = text(column) else { return nil }
        if let day = CivilDate(text) { return Double(day.daysSinceEpoch) * 86_400 }
        if let date = WireJSON.date(text) {
            return date.timeIntervalSince1970
        }
        throw CommandFailure("\(place): \(column) is not a date: \(text)")
    }
}
