import Foundation

// What finished tasks say, in words. A sentence states the record and no more: few tasks are said to be few, and "usually" is the
// median of the latest 63.

extension Evidence {
    /// What is known of a cause.
    /// - Parameters:
    ///   - success: the chance that the plan is kept.
    ///   - errors: of the person's latest estimates.
    func sentence(of cause: Cause, success: Double?, errors: PersonErrors = PersonErrors()) -> String {
        switch cause {
        case .all, .skill, .project, .projectSkill: everyone(cause)
        case .person, .personSkill, .personProject, .personProjectSkill, .personSize: person(cause)
        case .personLatest: personLatest
        case .size: "\(plan) \(everyone(.size))"
        case .label(let place): isNamed(place) ? everyone(cause) : unnamed(place)
        case .personLabel(let place): isNamed(place) ? person(cause) : unnamed(place)
        case .titleWords: titleWords
        case .title: decision.title == nil ? Self.untitled : everyone(.title)
        case .percentage: percentage
        case .dates: dates
        case .calendar: calendar
        case .skillCount: skillCount
        case .projectProgress: projectProgress
        case .personOpenTasks: personOpenTasks
        case .personTenure: personTenure
        case .network:
            "A small network reads \(schema.withPlan ? "the plan" : "what such tasks usually take"), the share of the person's "
                + "time, the number of skills and the state of the project, and nothing else."
        case .latestErrors: latestErrors(errors)
        case .keptPlans:
            "More hours than planned are likelier than not"
                + (success.map { ": the chance that the plan is kept is \(PlainFigures.percent($0))." } ?? ".")
        case .rest: "Everything else that is known, each with a smaller effect."
        }
    }

    /// What tasks of a cause have in common, behind the word "tasks".
    private func common(_ cause: Cause) -> String {
        let kind = decision.skills.isEmpty ? " without required skills" : " of this kind"
        return switch cause {
        case .personSkill, .skill: kind
        case .personProject, .project: " on this project"
        case .personProjectSkill, .projectSkill: "\(kind) on this project"
        case .personSize, .size: " of about this size"
        case .label(let place), .personLabel(let place): " with the same “\(schema.labelKeys[place])”"
        case .title: " with this very title"
        default: ""
        }
    }

    private func everyone(_ cause: Cause) -> String {
        let record = self[cause]
        guard record.finished > 0 else {
            return "No finished task\(common(cause)) is known yet\(comparison(record))."
        }
        return "Everyone together has finished \(tasks(record, common(cause)))\(comparison(record))."
    }

    private func person(_ cause: Cause) -> String {
        let record = self[cause]
        if record.finished > 0 {
            return "This person has finished \(tasks(record, common(cause)))\(comparison(record))."
        }
        guard !knowsPerson else {
            return "No finished task\(common(cause)) by this person is known yet, but "
                + "\(tasks(self[.person], "", adjective: "other "))\(comparison(record))."
        }
        // Others stand in.
        return "No finished task by this person is known yet. \(everyone(self[.skill].finished > 0 ? .skill : .all))"
    }

    /// How many, and how they usually went.
    private func tasks(_ record: TaskRecord, _ common: String, adjective: String = "") -> String {
        let isFew = record.isFew && record.compared == record.finished
        let start =
            (isFew ? "only " : "")
            + PlainFigures.count(record.finished, "\(adjective)task\(common)", "\(adjective)tasks\(common)")
        guard let usual = record.usual else { return "\(start), none with a plan" }
        let compared =
            record.compared == record.finished ? "" : ", \(record.isFew ? "only " : "")\(record.compared) with a plan"
        let counted = record.counted < record.compared ? " the latest \(record.counted)" : ""
        return "\(start)\(compared),\(counted) \(how(usual, record))"
    }

    private func how(_ usual: Double, _ record: TaskRecord) -> String {
        let figure = figure(usual)
        if !record.isFew {
            let isExact = figure == PlainFigures.asPlanned && 2 * record.exact > record.compared
            // These are counted among all that had a plan, not among the latest only.
            let among = record.counted < record.compared ? " of all \(record.compared)" : ""
            return "usually \(schema.withPlan ? "" : "in ")\(figure)"
                + (isExact ? " (\(record.exact)\(among) within 1 %)" : "")
        }
        if record.compared == 1 { return schema.withPlan ? figure : "in \(figure)" }
        return "with a median of \(figure == PlainFigures.asPlanned ? "the plan" : figure)"
    }

    private func figure(_ usual: Double) -> String {
        schema.withPlan ? PlainFigures.againstPlan(usual) : PlainFigures.hours(exp(usual))
    }

    /// What effects are measured against; nothing where the record is that of all tasks.
    private func comparison(_ record: TaskRecord) -> String {
        let all = self[.all]
        guard record != all, !all.isFew, let usual = all.usual else { return "" }
        return " (all tasks: \(figure(usual)))"
    }

    private var personLatest: String {
        guard let latest = self[.person].age else { return person(.person) }
        let kind = common(.personSkill)
        let ofKind = self[.personSkill].age.map { "the latest\(kind) \(PlainFigures.ago($0))" } ?? "none\(kind) yet"
        return "This person finished the latest task \(PlainFigures.ago(latest)), \(ofKind)."
    }

    /// Errors are of tasks that the model was not fitted to, and the mean is that of their logarithms, the latest counting most.
    private func latestErrors(_ errors: PersonErrors) -> String {
        let (one, many) = schema.withPlan ? ("task with a plan", "tasks with a plan") : ("task", "tasks")
        let count = PlainFigures.count(errors.count, one, many)
        let few = errors.count < TaskRecord.few ? "only " : ""
        return "Lately this person has finished \(few)\(count) that the model had not learned from, on the whole "
            + "\(PlainFigures.againstEstimate(errors.mean))."
    }

    private func isNamed(_ label: Int) -> Bool { decision.labels[schema.labelKeys[label]] != nil }

    private func unnamed(_ label: Int) -> String { "The question says nothing of “\(schema.labelKeys[label])”." }

    private static let untitled = "The question names no title."

    private var titleWords: String {
        guard let title = decision.title else { return Self.untitled }
        guard let strongest = strongestTitleWord else { return "No finished task has a word of this title." }
        let count = TitleWords.words(in: title).count
        let words = PlainFigures.count(count, "word", "words")
        let tasks = tasks(strongest.record, " with “\(strongest.word)”")
        return "Of \(words) of this title, finished tasks have \(knownTitleWords): everyone together has finished "
            + "\(tasks)\(comparison(strongest.record))."
    }
}
