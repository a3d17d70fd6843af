import Basics

// What the question itself says and how much was going on, in words.

extension Evidence {
    var plan: String {
        let round =
            switch roundness {
            case .days: "a whole number of days"
            case .hours: "a whole number of hours, but not of days"
            case .halfHours: "a whole number of half hours"
            case .some(.none), nil: "no round figure"
            }
        return "The plan is \(PlainFigures.hours(decision.plannedHours ?? 0, digits: 2)), \(round)."
    }

    var percentage: String {
        guard let percent = numbers.allocationPercent else {
            return "No percentage is named\(schema.withPlan ? ", which counts as all of this person's time" : "")."
        }
        let effort = numbers.effort.map { ", until the planned end \(PlainFigures.hours($0))" } ?? ""
        let share = "\(PlainFigures.number(percent, digits: 1)) % of this person's time"
        guard case .hoursPerDay(let hours) = numbers.pace else { return "The work takes \(share)\(effort)." }
        return "The work takes \(PlainFigures.hours(hours)) of each working day, \(share)\(effort)."
    }

    var dates: String {
        var parts: [String] = []
        if let start = decision.start {
            let days = History.dayNumber(start) - History.dayNumber(decision.at)
            let distance = PlainFigures.duration(days: abs(days))
            parts.append(
                days == 0
                    ? "begins on the day of the decision"
                    : "begins \(distance) \(days > 0 ? "after" : "before") the decision")
        }
        if let end = decision.end, schema.usesPlannedEnd {
            let days = History.dayNumber(end) - History.dayNumber(decision.start ?? decision.at)
            if decision.start == nil {
                parts.append(
                    days <= 0
                        ? "ends on the day of the decision"
                        : "ends \(PlainFigures.duration(days: days)) after the decision")
            } else {
                parts.append(days <= 0 ? "ends on the same day" : "ends \(PlainFigures.duration(days: days)) later")
            }
        }
        return parts.isEmpty ? "No dates are named." : "The work \(PlainFigures.list(parts))."
    }

    var calendar: String {
        let day = History.dayNumber(decision.at)
        let weekday = PlainFigures.weekdays[GregorianCalendar.flooredDivision(day + 4, by: 7).remainder]
        let month = PlainFigures.months[GregorianCalendar.date(daysSince1970: day).month - 1]
        return "The decision falls on a \(weekday) in \(month) (UTC)."
    }

    var skillCount: String {
        let count = decision.skills.count
        return "The work requires \(count == 0 ? "no skill" : PlainFigures.count(count, "skill", "skills"))."
    }

    var projectProgress: String {
        let today = History.dayNumber(decision.at)
        var parts: [String] = []
        if let start = numbers.project?.start {
            let days = today - History.dayNumber(start)
            parts.append(
                days == 0
                    ? "begins on the day of the decision"
                    : days > 0
                        ? "began \(PlainFigures.duration(days: days)) ago"
                        : "begins in \(PlainFigures.duration(days: -days))")
        }
        if let end = numbers.project?.estimatedEnd {
            let days = History.dayNumber(end) - today
            parts.append(
                days == 0
                    ? "should end on the day of the decision"
                    : days > 0
                        ? "should end in \(PlainFigures.duration(days: days))"
                        : "should have ended \(PlainFigures.duration(days: -days)) ago")
        }
        let (given, done) = (projectFlow.decided, min(projectFlow.done, projectFlow.decided))
        parts.append(
            given == 0
                ? "has no task yet" : "has \(PlainFigures.count(given, "task", "tasks")), \(done) of them finished")
        return "The project \(PlainFigures.list(parts))."
    }

    var personOpenTasks: String {
        let open = max(0, personFlow.decided - personFlow.done)
        let tasks = open == 0 ? "no unfinished task" : PlainFigures.count(open, "unfinished task", "unfinished tasks")
        let lately = personFlow.lately == 0 ? "none" : "\(personFlow.lately)"
        return "This person has \(tasks) and was given \(lately) in the past week."
    }

    var personTenure: String {
        personFlow.first.map { "This person was given the first task \(PlainFigures.ago(decision.at - $0))." }
            ?? "This person has been given no task before."
    }
}
