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
        let isPlanned: Bool
    }

    func answer(_ question: Question) -> Answer {
        let employee = question.employee
        let forecast = model.forecast.forecast(question.decision(for: employee.id), history: knowledge.history)
        let window = question.window(hours: forecast.hours, weeklyCapacity: employee.weeklyCapacityHours)
        return Answer(
            recommendation: Recommendation(
                hours: forecast.hours, window: window, weeklyCapacity: employee.weeklyCapacityHours,
                freePercent: free(employee, window, question)),
            forecast: forecast, alternatives: others(question, window: window),
            isPlanned: question.plannedHours != nil)
    }

    private func free(_ employee: HistoryEmployee, _ window: WorkWindow, _ question: Question) -> Double {
        FreeCapacity.percent(
            loads: (knowledge.loads[employee.id] ?? [:]).values, window: window,
            weeklyCapacity: employee.weeklyCapacityHours, at: question.asOf)
    }

    /// All are compared over the same window, that of the person asked about.
    private func others(_ question: Question, window: WorkWindow) -> [AlternativeOption] {
        guard alternatives > 0 else { return [] }
        let today = CivilDate(question.now)
        let possible = knowledge.employees.values
            .filter { $0.id != question.employee.id && $0.isAvailable(on: question.day, today: today) }
            .map { (employee: $0, match: question.skillMatch(of: $0), free: free($0, window, question) / 100) }
            .sorted { left, right in
                let (a, b) = (left.match + left.free, right.match + right.free)
                return a != b ? a > b : left.employee.id.description < right.employee.id.description
            }
        let candidates = possible.prefix(closeLook).map { entry in
            let forecast = model.forecast.forecast(
                question.decision(for: entry.employee.id), history: knowledge.history)
            return AlternativeRanking.Candidate(
                employeeId: entry.employee.id, name: entry.employee.name, estimatedHours: forecast.hours,
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
            alternativeOptions: answer.alternatives, asOf: question.asOf)
    }
}

extension FeatureEffect {
    /// Forecasting says how many hours a fact adds; the wire says by what factor it lengthens the rest.
    init(_ effect: Forecast.Effect, hours: Double) {
        let without = max(hours - effect.effect, hours / 100)
        self.init(feature: effect.feature, effect: without > 0 ? hours / without : 1)
    }
}
