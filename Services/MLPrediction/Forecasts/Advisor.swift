import Contracts
import Forecasting
import Ledger

/// Answers a question from one tenant's knowledge and its deployed model. Pure: the same question, knowledge and model
/// give the same answer.
struct Advisor {
    let knowledge: TenantKnowledge
    let model: LoadedModel
    /// How many other people are named.
    var alternatives = 5
    /// How many other people are looked at closely: with more of them, those with the best skills and most free time.
    var closeLook = 200

    struct Answer: Sendable {
        let recommendation: Recommendation
        let forecast: Forecast
        let alternatives: [AlternativeOption]
        /// What a planner should know about person and project, in words.
        let warnings: [String]
        let isPlanned: Bool
        /// Whether the model's own confidence means anything.
        let isCalibrated: Bool
    }

    func answer(_ question: Question) -> Answer {
        let employee = question.employee
        let forecast = model.forecast.forecast(question.decision(for: employee.id), history: knowledge.history)
        let window = question.window(
            hours: forecast.hours, weeklyHours: knowledge.times[employee.id]?.weeklyHours(from: question.first) ?? 0)
        var days = PersonDays(window)
        let time = freeTime(of: employee.id, question, &days)
        // Somebody who leaves or comes within the window has their hours in fewer days.
        let recommendation = time.present.map {
            Recommendation(
                hours: forecast.hours, window: $0, capacityHours: time.capacityHours, freePercent: time.freePercent)
        }
        let others = others(question, &days)
        return Answer(
            recommendation: recommendation ?? .absent, forecast: forecast, alternatives: others,
            warnings: WorkingTime.warnings(time.present, in: window) + Self.warnings(time) + Self.warnings(question)
                + modelWarnings(question) + skillWarnings(question, hasAlternatives: !others.isEmpty),
            isPlanned: question.plannedHours != nil, isCalibrated: !model.isBaseline)
    }

    private func freeTime(of person: EmployeeID, _ question: Question, _ days: inout PersonDays) -> FreeTime {
        knowledge.reckon(
            person, at: question.asOf, ignoringHold: question.day < question.today, into: &days)
        return FreeTime(days)
    }

    private static func warnings(_ time: FreeTime) -> [String] {
        guard let present = time.present, Recommendation.tenth(time.takenPercent, .toNearestOrEven) > 100 else {
            return []
        }
        return [
            "The person is over-booked: other work takes \(Recommendation.text(time.takenPercent)) % of their capacity from "
                + "\(present.first) to \(present.last)."
        ]
    }

    private func modelWarnings(_ question: Question) -> [String] {
        if model.isBaseline {
            return [
                "No model is deployed: the answer is the plan with the person's own ratio to it, or without a plan what such "
                    + "work has usually taken, with neither ranges nor chances. Train a model and deploy it for more."
            ]
        }
        guard !model.isFittedBefore(question.asOf) else { return [] }
        return [
            "No model was deployed at asOf: the answering model was fitted to outcomes that became known later, so the "
                + "answer is better than one given then could have been."
        ]
    }

    private func skillWarnings(_ question: Question, hasAlternatives: Bool) -> [String] {
        let unknown = question.skills.unknown(to: knowledge)
        var warnings = unknown.map {
            "Nobody has the required skill “\($0)”, and no project asks for it: check its name."
        }
        if question.skills.match(of: question.employee, on: question.day) < 1 {
            warnings.append("The person does not have all required skills on record.")
        }
        if alternatives > 0, unknown.isEmpty, !hasAlternatives, !question.requiredSkills.isEmpty {
            warnings.append("Nobody else who is there throughout has all required skills.")
        }
        return warnings
    }

    /// Like a person's activity, a project's status is known of today only.
    private static func warnings(_ question: Question) -> [String] {
        guard question.day >= question.today else { return [] }
        switch question.project.status {
        case .completed: return ["The project is completed."]
        case .cancelled: return ["The project is cancelled."]
        case .planned, .inProgress, .onHold: return []
        }
    }

    /// Somebody who could do the work; the best skills and the most free time come first.
    private struct Possible: Comparable {
        let index: Dictionary<EmployeeID, HistoryEmployee>.Index
        let id: EmployeeID
        let match: Double
        let free: Double

        static func < (left: Self, right: Self) -> Bool {
            let (a, b) = (left.match + left.free, right.match + right.free)
            return a != b ? a > b : left.id.rawValue < right.id.rawValue
        }
    }

    /// All are compared over the same window, that of the person asked about.
    private func others(_ question: Question, _ days: inout PersonDays) -> [AlternativeOption] {
        guard alternatives > 0 else { return [] }
        let skills = question.skills
        let people = knowledge.employees
        // Thousands of people are sorted by few bytes each, not with all that is known of them.
        let possible = people.indices.compactMap { index -> Possible? in
            let person = people.values[index]
            guard person.id != question.employee.id,
                knowledge.times[person.id]?
                    .isAvailable(throughout: days.window, decidedOn: question.day, today: question.today) == true
            else { return nil }
            // Required is required: who lacks one of the skills is no alternative, however free.
            let match = skills.match(of: person, on: question.day)
            guard match == 1 else { return nil }
            return Possible(
                index: index, id: person.id, match: match,
                free: freeTime(of: person.id, question, &days).freePercent / 100)
        }.sorted()
        let candidates = possible.prefix(closeLook).map { entry in
            let person = people.values[entry.index]
            let forecast = model.forecast.forecast(
                question.decision(for: person.id), history: knowledge.history, explaining: false)
            return AlternativeRanking.Candidate(
                employeeId: person.id, name: person.name, estimatedHours: forecast.hours,
                successProbability: question.plannedHours == nil ? nil : forecast.successProbability,
                availability: entry.free, skillMatch: entry.match)
        }
        return AlternativeRanking.best(candidates, count: alternatives)
    }
}

extension Prediction {
    init(id: PredictionID, _ answer: Advisor.Answer, question: Question, model: PredictionModel) {
        let forecast = answer.forecast
        let intervals = forecast.intervals
            .map { HoursInterval(level: Double($0.level) / 100, low: $0.low, high: $0.high) }
        self.init(
            predictionId: id, recommendedAllocation: answer.recommendation.percent,
            allocationNote: answer.recommendation.note, estimatedHours: forecast.hours,
            // Without a plan there is nothing to finish within (docs/architecture.md#what-is-learned).
            successProbability: answer.isPlanned ? forecast.successProbability : nil,
            confidence: answer.isCalibrated ? forecast.confidence : nil, interval: intervals.first { $0.level == 0.8 },
            intervals: intervals,
            explanation: forecast.explanation.map { FeatureEffect(feature: $0.feature, effect: $0.factor) },
            model: model,
            alternativeOptions: answer.alternatives, asOf: question.asOf, warnings: answer.warnings,
            explanationBase: forecast.explanationBase)
    }
}
