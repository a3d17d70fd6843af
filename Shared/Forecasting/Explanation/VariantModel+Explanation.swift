import Foundation

extension VariantModel {
    /// Features have some seven digits: a smaller effect is none.
    private static let leastRest = 1e-7
    /// A smaller effect would be displayed as none.
    private static let leastNamed = 0.0005

    /// What an explanation starts from, on the members' scale: the plan, or the mean of what members say without any feature.
    var explanationBase: Double {
        guard !schema.withPlan else { return 0 }
        let usual = candidates[winner].members.compactMap { members[$0].usual }
        return usual.isEmpty ? members[.prior].usual ?? 0 : usual.reduce(0, +) / Double(usual.count)
    }

    /// What each cause makes of the base: additive on the members' scale, so that the factors lead exactly from the base to the
    /// estimate. Of a person who has finished nothing yet, this is said whatever it makes.
    /// - Parameter evidence: of the row.
    func explanation(
        _ row: UnsafeBufferPointer<Float>, _ answer: Answer, _ evidence: Evidence, limit: Int = 5
    ) -> [Forecast.Effect] {
        let base = explanationBase
        let estimate = answer.distribution.median
        // Left at the plan: nothing moved it.
        guard abs(estimate - base) > 1e-12 else { return [] }
        var effects = EffectsByCause()
        // Of an estimate so near to the plan that it was taken for the plan, nothing is left to put down to features.
        if answer.estimate != base {
            effects = memberEffects(row, base, evidence)
            effects.add(.latestErrors, answer.errors.move)
        }
        effects.add(.keptPlans, estimate - answer.estimate)
        if !evidence.knowsPerson { effects.mergePersonal() }
        var named = effects.largest(limit).filter { abs($0.effect) >= Self.leastNamed }
        if !evidence.knowsPerson, !named.contains(where: { $0.cause == .person }) {
            named.append((.person, effects[.person]))
        }
        let rest = estimate - base - named.reduce(0) { $0 + $1.effect }
        if abs(rest) >= Self.leastRest { named.append((.rest, rest)) }
        return named.map { cause, effect in
            Forecast.Effect(
                feature: schema.name(of: cause),
                text: evidence.sentence(of: cause, success: answer.success, errors: answer.errors),
                factor: exp(effect))
        }
    }

    /// What the winner's members make of the base.
    private func memberEffects(
        _ row: UnsafeBufferPointer<Float>, _ base: Double, _ evidence: Evidence
    ) -> EffectsByCause {
        var effects = EffectsByCause()
        guard let first = row.baseAddress else { return effects }
        let winner = candidates[winner]
        let share = winner.trust / Double(winner.members.count)
        var ofColumns = [Double](repeating: 0, count: columns.count)
        for name in winner.members {
            let member = members[name]
            switch member {
            case .linear(let model):
                for column in ofColumns.indices { ofColumns[column] += model.effect(column, row[column]) }
            case .trees(let model): model.addEffects(first, to: &ofColumns)
            case .shrunkMedian:
                // The median of everybody, what the kind of work and the person make of it, and the person's own with the kind.
                let medians = evidence.medians
                let expected = medians.person + medians.skill - medians.all
                effects.add(.all, share * (medians.all - base))
                effects.add(.skill, share * (medians.skill - medians.all))
                effects.add(.person, share * (medians.person - medians.all))
                effects.add(.personSkill, share * (Double(row[columns.medianPersonSkill]) - expected))
            case .network: effects.add(.network, share * (member.predict(row, columns: columns) - base))
            case .planned, .constant: break
            }
            if schema.withPlan { effects.add(.all, share * (member.usual ?? 0)) }
        }
        for (column, cause) in causes.enumerated() { effects.add(cause, share * ofColumns[column]) }
        return effects
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

/// Effects on the members' scale, in the order in which causes were met, which is the same everywhere.
private struct EffectsByCause {
    private var effects: [(cause: Cause, effect: Double)] = []
    private var places: [Cause: Int] = [:]

    subscript(cause: Cause) -> Double { places[cause].map { effects[$0].effect } ?? 0 }

    mutating func add(_ cause: Cause, _ effect: Double) {
        if let place = places[cause] {
            effects[place].effect += effect
        } else {
            places[cause] = effects.count
            effects.append((cause, effect))
        }
    }

    /// Puts down to the person what is put down to several of the person's records.
    mutating func mergePersonal() {
        for (place, given) in effects.enumerated() where given.cause.isOfFinishedPersonalTasks {
            guard given.cause != .person else { continue }
            add(.person, given.effect)
            effects[place].effect = 0
        }
    }

    func largest(_ count: Int) -> [(cause: Cause, effect: Double)] {
        let order = effects.indices.sorted {
            let (one, other) = (abs(effects[$0].effect), abs(effects[$1].effect))
            return one == other ? $0 < $1 : one > other
        }
        return order.prefix(count).map { effects[$0] }
    }
}
