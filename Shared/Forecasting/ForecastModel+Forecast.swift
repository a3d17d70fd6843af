import Foundation

extension ForecastModel {
    /// Answers a decision from the model and what `history` knew before the decision's moment.
    /// - Parameter explaining: whether what moved the estimate is wanted; the explanation is empty without.
    public func forecast(_ decision: Decision, history: History, explaining: Bool = true) -> Forecast {
        var decision = decision
        // A plan that the model cannot use must not half-reach the features.
        let withPlan = (decision.plannedHours ?? 0) > 0 && planned != nil
        if !withPlan { decision = decision.withoutPlan }
        let variant = variant(withPlan: withPlan)
        let values = FeatureBuilder(schema: variant.schema, history: history).values(decision)
        return values.withUnsafeBufferPointer { row in
            let estimate = variant.estimate(row, candidate: variant.winner)
            let planned = decision.plannedHours ?? 0
            let hours = variant.hours(estimate, planned: planned)
            guard let base = row.baseAddress else { preconditionFailure("a schema has features") }
            let ranges = variant.intervals.ranges(base, around: estimate).map {
                Forecast.Interval(
                    level: $0.level, low: variant.hours($0.low, planned: planned),
                    high: variant.hours($0.high, planned: planned))
            }
            return Forecast(
                hours: hours, intervals: ranges, successProbability: variant.success?.probability(base),
                confidence: 100 * variant.near.probability(base),
                explanation: explaining ? variant.explanation(row, hours: hours) : [],
                kind: variant.candidates[variant.winner].name,
                knowsEmployee: row[variant.columns.personCount] > 0)
        }
    }
}

extension VariantModel {
    /// What each group of features adds to the estimate, in hours, by the linear member (the others follow it closely and
    /// have no such additive parts); for a baseline, the person's own habit.
    func explanation(_ row: UnsafeBufferPointer<Float>, hours: Double, limit: Int = 5) -> [Forecast.Effect] {
        let winner = candidates[winner]
        var effects: [String: Double] = [:]
        for name in winner.members {
            switch members[name] {
            case .linear(let model):
                for (column, feature) in explained.enumerated() {
                    effects[feature, default: 0] += model.effect(column, row[column]) / Double(winner.members.count)
                }
            case .shrunkMedian where columns.plan != nil:
                effects["how this person's tasks of this kind compare with their plans", default: 0] +=
                    Double(row[columns.medianPersonSkill]) / Double(winner.members.count)
            default: break
            }
        }
        var named: [Forecast.Effect] = []
        for (feature, effect) in effects {
            let inHours = hours * (1 - exp(-effect))
            if abs(inHours) >= 0.005 { named.append(Forecast.Effect(feature: feature, effect: inHours)) }
        }
        named.sort { (abs($1.effect), $0.feature) < (abs($0.effect), $1.feature) }
        return Array(named.prefix(limit))
    }
}

/// Names of groups of features in explanations, by the first part of a feature's name.
enum ExplainedGroup {
    static func name(_ feature: FeatureDescription) -> String {
        let parts = feature.name.split(separator: ".")
        switch parts[0] {
        case "base", "lead", "window", "weekday", "month": return "the question itself"
        case "plan", "size": return "the size of the plan"
        case "all": return "how all tasks have gone lately"
        case "person", "personSize": return "this person's tasks"
        case "personSkill": return "this person's tasks of this kind"
        case "project": return "this project's tasks"
        case "personProject": return "this person's tasks on this project"
        case "skill", "skills": return "tasks of this kind"
        case "trio": return "this person's tasks of this kind on this project"
        case "own": return parts.count > 1 ? "this person's tasks with this \(parts[1])" : "labels"
        case "projectSkill": return "this project's tasks of this kind"
        case "label": return parts.count > 1 ? "tasks with this \(parts[1])" : "labels"
        default: return feature.meaning
        }
    }
}
