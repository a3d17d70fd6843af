import Foundation

extension ForecastModel {
    /// Answers a decision from the model and what `history` knew before the decision's moment.
    /// - Parameter explaining: whether what moved the estimate is wanted; the explanation is empty without.
    public func forecast(_ decision: Decision, history: History, explaining: Bool = true) -> Forecast {
        let decision = usable(decision)
        let variant = variant(for: decision)
        let values = FeatureBuilder(schema: variant.schema, history: history).values(decision)
        return values.withUnsafeBufferPointer { row in
            let answer = variant.answer(row)
            let said = answer.distribution
            let planned = decision.plannedHours ?? 0
            return Forecast(
                hours: variant.hours(said.median, planned: planned),
                intervals: said.ranges.map {
                    Forecast.Interval(
                        level: $0.level, low: variant.hours($0.low, planned: planned),
                        high: variant.hours($0.high, planned: planned))
                },
                successProbability: answer.success, confidence: 100 * said.near,
                explanationBase: variant.hours(variant.explanationBase, planned: planned),
                explanation: explaining ? variant.explanation(row, answer) : [],
                kind: variant.candidates[variant.winner].name,
                knowsEmployee: row[variant.columns.personCount] > 0)
        }
    }

    /// The decision as far as the model can use it: a plan that it cannot use must not half-reach the features.
    func usable(_ decision: Decision) -> Decision {
        (decision.plannedHours ?? 0) > 0 && planned != nil ? decision : decision.withoutPlan
    }
}

extension VariantModel {
    /// Features have some seven digits: a smaller effect is none.
    private static let leastRest = 1e-7

    /// What an explanation starts from, on the members' scale: the plan, or the mean of what members say without any feature.
    var explanationBase: Double {
        guard !schema.withPlan else { return 0 }
        let usual = candidates[winner].members.compactMap { members[$0].usual }
        return usual.isEmpty ? members[.prior].usual ?? 0 : usual.reduce(0, +) / Double(usual.count)
    }

    /// What each group of features makes of the base: additive on the members' scale, so that the factors lead exactly from
    /// the base to the estimate.
    func explanation(_ row: UnsafeBufferPointer<Float>, _ answer: Answer, limit: Int = 5) -> [Forecast.Effect] {
        let base = explanationBase
        let estimate = answer.distribution.median
        // Left at the plan: nothing moved it.
        guard abs(estimate - base) > 1e-12, let first = row.baseAddress else { return [] }
        var effects: [String: Double] = [:]
        // Of an estimate so near to the plan that it was taken for the plan, nothing is left to put down to features.
        if answer.estimate != base { effects = memberEffects(first, base) }
        effects["how often such plans are kept", default: 0] += estimate - answer.estimate
        let sorted = effects.sorted { (abs($1.value), $0.key) < (abs($0.value), $1.key) }
        var named = sorted.prefix(limit).filter { abs($0.value) >= 0.0005 }
            .map { Forecast.Effect(feature: $0.key, factor: exp($0.value)) }
        let rest = estimate - base - sorted.prefix(limit).filter { abs($0.value) >= 0.0005 }.reduce(0) { $0 + $1.value }
        if abs(rest) >= Self.leastRest { named.append(Forecast.Effect(feature: "everything else", factor: exp(rest))) }
        return named
    }

    /// What the winner's members make of the base, by groups of features.
    private func memberEffects(_ row: UnsafePointer<Float>, _ base: Double) -> [String: Double] {
        let winner = candidates[winner]
        let share = winner.trust / Double(winner.members.count)
        var ofColumns = [Double](repeating: 0, count: columns.count)
        var effects: [String: Double] = [:]
        for name in winner.members {
            let member = members[name]
            switch member {
            case .linear(let model):
                for column in ofColumns.indices { ofColumns[column] += model.effect(column, row[column]) }
            case .trees(let model): model.addEffects(row, to: &ofColumns)
            case .shrunkMedian:
                effects[
                    schema.withPlan
                        ? "how this person's tasks of this kind compare with their plans"
                        : "this person's tasks of this kind", default: 0] +=
                    Double(row[columns.medianPersonSkill]) - base
            case .network:
                effects["the base network's view", default: 0] +=
                    member.predict(UnsafeBufferPointer(start: row, count: columns.count), columns: columns) - base
            case .planned, .constant: break
            }
            if schema.withPlan { effects["how all tasks compare with their plans", default: 0] += member.usual ?? 0 }
        }
        for (column, feature) in explained.enumerated() { effects[feature, default: 0] += ofColumns[column] }
        return effects.mapValues { $0 * share }
    }
}

extension HoursMember {
    /// What is said without any feature; nil where there is no such thing.
    fileprivate var usual: Double? {
        switch self {
        case .constant(let value): value
        case .linear(let model): model.intercept
        case .trees(let model): model.usual
        case .planned, .shrunkMedian, .network: nil
        }
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
        case "words": return "tasks with the words of this title"
        case "title": return "tasks with this very title"
        case "label": return parts.count > 1 ? "tasks with this \(parts[1])" : "labels"
        default: return feature.meaning
        }
    }
}
