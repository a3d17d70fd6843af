import Contracts
import Forecasting
import Ledger

/// Answers a question from one tenant's knowledge and its deployed model. Pure: the same question, knowledge and model
/// give the same answer.
struct Advisor {
    let knowledge: TenantKnowledge
    let model: LoadedModel

    struct Answer: Sendable {
        let recommendation: Recommendation
        let forecast: Forecast
        let comparison: Comparison?
        /// What a planner should know about person and project, in words.
        let warnings: [String]
        let isPlanned: Bool
        /// Whether the model's own confidence means anything.
        let isCalibrated: Bool
        let selection: Selection
        /// What the forecast is made from.
        let features: KeptFeatures
    }

    func answer(_ question: Question) -> Answer {
        let employee = question.employee
        let (forecast, schema, values) = model.forecast.forecastWithFeatures(
            question.decision(for: employee.id), history: knowledge.history)
        let window = question.window(
            hours: forecast.hours, weeklyHours: knowledge.times[employee.id]?.weeklyHours(from: question.first) ?? 0)
        var days = PersonDays(window)
        let time = freeTime(of: employee.id, question, &days)
        // A person who leaves or joins within the window has their hours in fewer days.
        let recommendation = time.present.map {
            Recommendation(
                hours: forecast.hours, window: $0, capacityHours: time.capacityHours, freePercent: time.freePercent)
        }
        let skills = RequiredSkills(
            question.requiredSkills, levels: question.leastLevels, in: knowledge.skillNames)
        let comparison = compare(question, skills, forecast, time, &days)
        return Answer(
            recommendation: recommendation ?? .absent, forecast: forecast, comparison: comparison,
            warnings: WorkingTime.warnings(
                time.present, gaps: time.gaps, in: window, heldFrom: heldFrom(question))
                + Self.warnings(time) + Self.warnings(question) + modelWarnings(question, forecast)
                + skillWarnings(question, skills, comparison),
            isPlanned: question.plannedHours != nil, isCalibrated: !model.isBaseline,
            selection: comparison?.selection ?? Selection(asked: employee.departmentId),
            features: KeptFeatures(set: model.ready.features[schema], values: values))
    }

    /// From when the person is on hold, which is known of today only; nil for a question of another day.
    private func heldFrom(_ question: Question) -> CivilDate? {
        question.day < question.today ? nil : knowledge.times[question.employee.id]?.heldFrom
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

    private func modelWarnings(_ question: Question, _ forecast: Forecast) -> [String] {
        if model.isBaseline {
            let isGuess =
                question.plannedHours == nil
                && !knowledge.bookings.values.contains { $0.hasFinished(by: question.asOf) }
            let start =
                model.refused.map {
                    "Version \($0.version) of the model is deployed and cannot answer (\($0.refusal.reason))"
                } ?? "No model is deployed"
            return [
                isGuess
                    ? "No work of this tenant has finished yet, so that without a plan the hours are a guess, the same for all "
                        + "work: state planned hours."
                    : "\(start): the answer is the plan with the person's own ratio to it, or without a plan what such "
                        + "work has usually taken, with neither ranges nor chances. Train a model and deploy it for more."
            ]
        }
        var warnings: [String] = []
        if let refused = model.refused {
            warnings.append(
                "Version \(refused.version) of the model is deployed and cannot answer (\(refused.refusal.reason)), so "
                    + "version \(model.version) does: train a model and deploy it, or deploy another.")
        }
        if question.plannedHours != nil, !model.forecast.usesPlans {
            warnings.append("The model has learned from too few plans to use any: it ignores the planned hours.")
        }
        if model.forecast.answersByBaseline(question.decision(for: question.employee.id)) {
            warnings.append(
                "A baseline answers questions that leave out as much, without ranges: the model's card says why.")
        } else if question.plannedHours != nil, model.forecast.usesPlans, forecast.successProbability == nil {
            warnings.append(
                "No chance of keeping the plan is given: the model has none that says more of one task than of another. Its card "
                    + "says why.")
        }
        if !model.isConfirmed {
            warnings.append(
                "ml-training cannot be asked at the moment which model is deployed: version \(model.version), the one "
                    + "deployed when it last could be, answers.")
        }
        if !model.isFittedBefore(question.asOf) {
            warnings.append(
                "No model was deployed at asOf: the answering model was fitted to outcomes that became known later, so "
                    + "the answer is better than one given then could have been.")
        }
        return warnings
    }

    private func skillWarnings(
        _ question: Question, _ skills: RequiredSkills, _ comparison: Comparison?
    ) -> [String] {
        var warnings = skills.unknown.map {
            "Nobody has the required skill “\($0)”, and no project asks for it: check its name."
        }
        if let person = knowledge.people[question.employee.id] {
            warnings += skills.warnings(about: person, on: question.first)
        }
        if let comparison, skills.unknown.isEmpty, comparison.alternatives.isEmpty, !question.requiredSkills.isEmpty {
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
            explanation: forecast.explanation.map {
                FeatureEffect(feature: $0.feature, effect: $0.factor, text: $0.text)
            },
            model: model,
            alternativeOptions: answer.comparison?.alternatives ?? [], standing: answer.comparison?.standing,
            peopleCompared: answer.comparison?.people, asOf: question.asOf, warnings: answer.warnings,
            explanationBase: forecast.explanationBase)
    }
}
