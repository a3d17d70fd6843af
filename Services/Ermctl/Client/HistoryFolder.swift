import Contracts
import Foundation

/// What the quick tour needs to know of a folder in the import format: its span in time and its newest decision.
struct HistoryFolder {
    struct Decision: Equatable {
        let employee: String
        let project: String
        let skills: [String]
        let plannedHours: Double
        let at: Date
    }

    /// The moment after the last known outcome.
    let asOf: Date
    /// Whole months from the first decision to `asOf`, at least 1 and at most the 240 that a job takes.
    let months: Int
    /// The newest of the decisions whose outcome is known: its person has just become free.
    let newest: Decision

    init(directory: String) throws {
        let path = URL(fileURLWithPath: directory).appendingPathComponent(ImportKind.allocations.fileName)
        guard let data = try? Data(contentsOf: path) else { throw CommandFailure("Cannot read \(path.path).") }
        let rows: [CSVReader.Row]
        do {
            rows = try CSVReader.rows(of: data)
        } catch {
            throw CommandFailure("\(path.path), \(error)")
        }
        guard let header = rows.first?.fields else { throw CommandFailure("\(path.path) is empty.") }
        let index = Dictionary(header.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
        func value(_ row: CSVReader.Row, _ column: String) -> String {
            index[column].flatMap { $0 < row.fields.count ? row.fields[$0] : nil } ?? ""
        }

        var first = Date.distantFuture
        var lastOutcome = Date.distantPast
        var newest: Decision?
        for row in rows.dropFirst() {
            let completed = WireJSON.date(value(row, "completed_at"))
            if let completed { lastOutcome = max(lastOutcome, completed) }
            guard
                let decided = WireJSON.date(value(row, "created_at")) ?? CivilDate(value(row, "start_date"))?.startOfDay
            else { continue }
            first = min(first, decided)
            guard completed != nil, decided >= newest?.at ?? .distantPast,
                let hours = Double(value(row, "allocated_hours")), hours > 0
            else { continue }
            newest = Decision(
                employee: value(row, "employee_external_id"), project: value(row, "project_external_id"),
                skills: value(row, "required_skills").split(separator: ";").map(String.init), plannedHours: hours,
                at: decided)
        }
        guard let newest, lastOutcome > .distantPast else {
            throw CommandFailure("\(path.path) has no completed allocation to learn from.")
        }
        self.newest = newest
        asOf = lastOutcome.addingTimeInterval(0.001)
        let averageMonth = 30.436875 * 86_400
        months = min(max(Int((asOf.timeIntervalSince(first) / averageMonth).rounded(.up)) + 1, 1), 240)
    }
}
