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
    /// By the names that records have (``SkillNames/name(of:)``), each once, however the request names them.
    let requiredSkills: [String]
    /// Those that the booking would name, were the question decided: where the question names none, none unless this tenant's bookings
    /// name what the project requires.
    private let bookedSkills: [String]
    /// Of some of the required skills, by the same names.
    let leastLevels: [String: Int]
    let plannedHours: Double?
    let allocationPercentage: Double?
    let hoursPerDay: Double?
    let start: CivilDate?
    let end: CivilDate?
    let labels: [String: String]
    let title: String?
    let asOf: Date
    /// How many others are named.
    let alternatives: Int
    /// The day of the decision.
    let day: CivilDate
    /// The day on which it was asked.
    let today: CivilDate
    /// Why the work cannot be planned with the person, in words; only when that is no reason to refuse the question.
    private(set) var obstacle: String?

    /// - Parameters:
    ///   - path: what stands before a field's name in errors, e.g. `requests[3].`.
    ///   - bookableOnly: whether a person is refused with whom the work could not be planned.
    /// - Throws: nothing; bad fields are added to `errors`, and the answer is nil then.
    init?(
        _ request: PredictionRequest, knowledge: TenantKnowledge, now: Date, path: String = "",
        bookableOnly: Bool = true, errors: inout [FieldError]
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
        let (day, today) = (CivilDate(asOf, in: knowledge.zone), CivilDate(now, in: knowledge.zone))
        let first = DayWindow.firstDay(start: request.startDate, end: request.endDate, decidedOn: day)
        // Everybody's time is reckoned day by day: an end in the year 9999 would be millions of days for each person.
        let isTooLong = !BookingLimits.allows(first, request.endDate)
        if isTooLong { errors.append(FieldError(field: path + "endDate", message: BookingLimits.tooLong)) }
        var obstacle: String?
        if let employee, !isFuture {
            obstacle = knowledge.times[employee.id]?.refusal(from: first, decidedOn: day, today: today)
            if let refusal = obstacle, bookableOnly {
                errors.append(FieldError(field: path + "employeeId", message: refusal))
                return nil
            }
        }
        guard let employee, let project, !isFuture, !isTooLong else { return nil }
        self.employee = employee
        self.project = project
        let asked = project.requirements(at: asOf)
        let skillNames = knowledge.skillNames
        let requiredSkills = skillNames.names(of: request.requiredSkills ?? asked.skills)
        if request.requiredSkills == nil {
            let required = Set(requiredSkills.map(\.folded))
            let others = (request.leastLevels ?? [:]).keys
                .filter { !required.contains(skillNames.name(of: $0).folded) }.sorted()
            errors += others.map {
                FieldError(
                    field: "\(path)leastLevels.\($0)",
                    message: "is no skill that the project requires; name it in requiredSkills")
            }
            guard others.isEmpty else { return nil }
        }
        self.requiredSkills = requiredSkills
        let moment = asOf.timeIntervalSince1970
        let areBooked =
            request.requiredSkills != nil || requiredSkills.isEmpty
            || knowledge.history.finishedCount(requiring: requiredSkills, before: moment)
                >= knowledge.history.finishedCount(requiring: [], before: moment)
        bookedSkills = areBooked ? requiredSkills.sorted() : []
        self.leastLevels = skillNames.levels(of: request.leastLevels ?? asked.levels)
        self.plannedHours = request.plannedHours
        self.allocationPercentage = request.allocationPercentage
        self.hoursPerDay = request.hoursPerDay
        self.start = request.startDate
        self.end = request.endDate
        self.labels = request.labels ?? [:]
        self.title = request.title
        self.asOf = asOf
        self.alternatives = request.alternatives ?? 5
        self.obstacle = obstacle.map { "The person \($0)." }
        self.day = day
        self.today = today
    }

    /// The row that training would make of the booking, were the question decided: work without a start begins on the day of
    /// the decision, as everywhere else in the answer.
    func decision(for employee: EmployeeID) -> Decision {
        Decision(
            employee: employee.description, project: project.id.description, skills: bookedSkills,
            labels: labels, plannedHours: plannedHours, allocationPercent: allocationPercentage,
            start: first.secondsSince1970,
            end: end?.secondsSince1970, at: asOf.timeIntervalSince1970, title: title, hoursPerDay: hoursPerDay)
    }

    /// The day on which the work begins.
    var first: CivilDate { DayWindow.firstDay(start: start, end: end, decidedOn: day) }

    func window(hours: Double, weeklyHours: Double) -> DayWindow {
        DayWindow(start: start, end: end, decidedOn: day, hours: hours, weeklyHours: weeklyHours)
    }
}

extension HistoryProject {
    /// The skills that it asked for at a moment, and their least levels.
    fileprivate func requirements(at moment: Date) -> (skills: [String], levels: [String: Int]) {
        if let version = earlierVersions?.first(where: { moment < $0.validUntil }), let skills = version.requiredSkills
        {
            return (skills, version.leastLevels ?? [:])
        }
        return (requiredSkills, leastLevels ?? [:])
    }
}
