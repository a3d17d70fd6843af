import Contracts
import Forecasting
import Foundation
import HistoryFeed
import Ledger
import ServiceKit

/// A prediction request that has been checked against what the tenant has: the person and the project exist.
struct Question: Sendable {
    let employee: HistoryEmployee
    let project: HistoryProject
    let requiredSkills: [String]
    let plannedHours: Double?
    let allocationPercentage: Double?
    let start: CivilDate?
    let end: CivilDate?
    let labels: [String: String]
    let asOf: Date
    /// The day of the decision.
    let day: CivilDate
    /// The day on which it was asked.
    let today: CivilDate

    /// - Parameter path: what stands before a field's name in errors, e.g. `requests[3].`.
    /// - Throws: nothing; bad fields are added to `errors`, and the answer is nil then.
    init?(
        _ request: PredictionRequest, knowledge: TenantKnowledge, now: Date, path: String = "",
        errors: inout [FieldError]
    ) {
        let employee = knowledge.employees[request.employeeId]
        let project = knowledge.projects[request.projectId]
        if employee == nil {
            errors.append(FieldError(field: path + "employeeId", message: "is not an employee of this tenant"))
        }
        if project == nil {
            errors.append(FieldError(field: path + "projectId", message: "is not a project of this tenant"))
        }
        let asOf = request.asOf ?? now
        // A minute is allowed for clocks that differ.
        let isFuture = asOf.timeIntervalSince(now) > 60
        if isFuture { errors.append(FieldError(field: path + "asOf", message: "must not be in the future")) }
        if let employee, !isFuture {
            let (day, today) = (CivilDate(asOf, in: knowledge.zone), CivilDate(now, in: knowledge.zone))
            let first = DayWindow.firstDay(start: request.startDate, end: request.endDate, decidedOn: day)
            if let refusal = knowledge.times[employee.id]?.refusal(from: first, decidedOn: day, today: today) {
                errors.append(FieldError(field: path + "employeeId", message: refusal))
                return nil
            }
        }
        guard let employee, let project, !isFuture else { return nil }
        self.employee = employee
        self.project = project
        self.requiredSkills = request.requiredSkills ?? project.requiredSkills
        self.plannedHours = request.plannedHours
        self.allocationPercentage = request.allocationPercentage
        self.start = request.startDate
        self.end = request.endDate
        self.labels = request.labels ?? [:]
        self.asOf = asOf
        day = CivilDate(asOf, in: knowledge.zone)
        today = CivilDate(now, in: knowledge.zone)
    }

    /// The row that training would make of the booking, were the question decided: work without a start begins on the day of
    /// the decision, as everywhere else in the answer.
    func decision(for employee: EmployeeID) -> Decision {
        Decision(
            employee: employee.description, project: project.id.description, skills: requiredSkills.sorted(),
            labels: labels, plannedHours: plannedHours, allocationPercent: allocationPercentage,
            start: first.secondsSince1970,
            end: end?.secondsSince1970, at: asOf.timeIntervalSince1970)
    }

    /// The day on which the work begins.
    var first: CivilDate { DayWindow.firstDay(start: start, end: end, decidedOn: day) }

    func window(hours: Double, weeklyHours: Double) -> DayWindow {
        DayWindow(start: start, end: end, decidedOn: day, hours: hours, weeklyHours: weeklyHours)
    }

    var skills: RequiredSkills { RequiredSkills(requiredSkills) }
}

/// Skills that are asked for, whatever their case.
struct RequiredSkills: Sendable {
    private let names: Set<String>

    init(_ names: [String]) { self.names = Set(names.map(\.folded)) }

    /// Those, in lower case and sorted, that nobody in the company has or was ever asked for.
    func unknown(to knowledge: TenantKnowledge) -> [String] {
        var missing = names
        for employee in knowledge.employees.values {
            if missing.isEmpty { break }
            for held in employee.skills { missing.remove(held.skill.lowercased()) }
        }
        for project in knowledge.projects.values {
            if missing.isEmpty { break }
            for skill in project.requiredSkills { missing.remove(skill.lowercased()) }
        }
        return missing.sorted()
    }

    /// Share of them that the person had by the day, 0…1; 1 when none is required.
    func match(of employee: HistoryEmployee, on day: CivilDate) -> Double {
        guard !names.isEmpty else { return 1 }
        let held = Set(employee.skills.filter { ($0.since ?? day) <= day }.map { $0.skill.folded })
        return Double(names.intersection(held).count) / Double(names.count)
    }
}
