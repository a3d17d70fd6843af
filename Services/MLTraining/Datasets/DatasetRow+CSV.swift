import Basics
import Contracts
import Foundation

/// Rows as CSV (RFC 4180), lists and labels as in the import format; empty means unknown.
extension DatasetRow {
    static let csvHeader = """
        allocation_id,employee_id,project_id,required_skills,labels,allocation_percentage,planned_hours,actual_hours,\
        hours_source,performance_score,completion_rate,timestamp,start,completed_at,success,title,\
        planned_end,hours_per_day\r\n
        """

    var csv: String {
        let labels = labels.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
        let fields: [String] = [
            allocationId.description, employeeId.description, projectId.description,
            CSVText.field(requiredSkills.joined(separator: ";")), CSVText.field(labels.joined(separator: ";")),
            Self.number(allocationPercentage), Self.number(plannedHours), Self.number(actualHours), hoursSource,
            Self.number(performanceScore), Self.number(completionRate), WireJSON.timestamp(timestamp),
            start.map(WireJSON.timestamp) ?? "", WireJSON.timestamp(completedAt), success.map { "\($0)" } ?? "",
            CSVText.field(title ?? ""), plannedEnd.map(WireJSON.timestamp) ?? "",
            Self.number(hoursPerDay),
        ]
        return fields.joined(separator: ",") + "\r\n"
    }

    /// The shortest text that reads back as the same number.
    private static func number(_ value: Double?) -> String {
        guard let value else { return "" }
        return value == value.rounded() && abs(value) < 1e15 ? String(Int(value)) : String(value)
    }
}
