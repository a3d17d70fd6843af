import Contracts
import Forecasting

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
    }

    func answer(_ question: Question) -> Answer {
        let employee = question.employee
        let forecast = model.forecast.forecast(question.decision(for: employee.id), history: knowledge.history)
        let window = question.window(hours: forecast.hours, weeklyCapacity: employee.weeklyCapacityHours)
        // Somebody who leaves or comes within the window has their hours in fewer days.
        let present = employee.employed(in: window)
        let taken = present.map { self.taken(employee, $0, question) }
        let recommendation = present.map {
            Recommendation(
                hours: forecast.hours, window: $0, weeklyCapacity: employee.weeklyCapacityHours,
                freePercent: taken?.freePercent ?? 0)
        }
        return Answer(
            recommendation: recommendation ?? .absent, forecast: forecast,
            alternatives: others(question, window: window),
            warnings: employee.warnings(in: window) + Self.warnings(present, taken) + Self.warnings(question),
            isPlanned: question.plannedHours != nil)
    }

    private func taken(_ employee: HistoryEmployee, _ window: WorkWindow, _ question: Question) -> TakenCapacity {
        TakenCapacity(
            loads: knowledge.loads[employee.id]?.unfinished(at: question.asOf) ?? [], window: window,
            weeklyCapacity: employee.weeklyCapacityHours, at: question.asOf)
    }

    private static func warnings(_ window: WorkWindow?, _ taken: TakenCapacity?) -> [String] {
        guard let window, let taken, Recommendation.tenth(taken.percent, .toNearestOrEven) > 100 else { return [] }
        return [
            "The person is over-booked: other work takes \(Recommendation.text(taken.percent)) % of their capacity from "
                + "\(window.first) to \(window.last)."
        ]
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
    private func others(_ question: Question, window: WorkWindow) -> [AlternativeOption] {
        guard alternatives > 0 else { return [] }
        let skills = question.skills
        let people = knowledge.employees
        // Thousands of people are sorted by few bytes each, not with all that is known of them.
        let possible = people.indices.compactMap { index -> Possible? in
            let person = people.values[index]
            guard person.id != question.employee.id,
                person.isAvailable(throughout: window, decidedOn: question.day, today: question.today)
            else { return nil }
            return Possible(
                index: index, id: person.id, match: skills.match(of: person, on: question.day),
                free: taken(person, window, question).freePercent / 100)
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
            // Without a plan there is nothing to finish within (DESIGN §8).
            successProbability: answer.isPlanned ? forecast.successProbability : nil,
            confidence: forecast.confidence, interval: intervals.first { $0.level == 0.8 }, intervals: intervals,
            explanation: forecast.explanation.map { FeatureEffect($0, hours: forecast.hours) }, model: model,
            alternativeOptions: answer.alternatives, asOf: question.asOf, warnings: answer.warnings)
    }
}

extension FeatureEffect {
    /// Forecasting says how many hours a fact adds; the wire says by what factor it lengthens the rest.
    init(_ effect: Forecast.Effect, hours: Double) {
        let without = max(hours - effect.effect, hours / 100)
        self.init(feature: effect.feature, effect: without > 0 ? hours / without : 1)
    }
}
