import Forecasting

/// Asks a new model a few made-up questions of every kind before it serves. An answer that is not a forecast, such as a missing number
/// or an inverted range, shows that the model is broken though its bytes are as stored; so does an answer to a question of its probe
/// that differs from the trainer's. The questions also warm the model, and lay it out for comparing many people.
enum ModelSelfTest {
    /// - Returns: what is wrong, in words; nil for a model that may serve.
    static func fault(of model: ReadyModel) -> String? {
        let history = history
        for decision in decisions {
            let forecast = model.forecast.forecast(decision, history: history)
            if let fault = fault(of: forecast) { return fault }
            guard model.forecast.forecast(decision, history: history) == forecast else {
                return "it answers the same question in two ways"
            }
            guard model.features(of: decision, history: history).isNamedInFull else {
                return "it is asked with other numbers than its schema names"
            }
            guard comparesAsItAnswers(model.forecast, decision, history) else {
                return "it says otherwise of many people than of one"
            }
        }
        if let difference = model.forecast.probe?.difference(from: model.forecast) { return difference }
        for network in model.networks.all {
            let outputs = network.outputs(of: [Float](repeating: 0.5, count: 2 * network.inputs))
            guard outputs.allSatisfy({ $0 >= 0 && $0 <= 1 }) else { return "its network's outputs are not in 0…1" }
        }
        return nil
    }

    private static func comparesAsItAnswers(_ model: ForecastModel, _ decision: Decision, _ history: History) -> Bool {
        let people = ["known", "unknown"]
        let together = model.estimates(decision, of: people.map { history.person($0) }, history: history)
        return zip(people, together).allSatisfy { person, estimate in
            var own = decision
            own.employee = person
            let alone = model.forecast(own, history: history, explaining: false)
            return estimate.hours == alone.hours && estimate.successProbability == alone.successProbability
        }
    }

    private static func fault(of forecast: Forecast) -> String? {
        guard forecast.hours.isFinite, forecast.hours >= 0 else { return "its hours are no number of hours" }
        for interval in forecast.intervals {
            // Only numbers can be in order.
            guard interval.low >= 0, interval.low <= interval.high, interval.high.isFinite else {
                return "a range of hours is turned round or has no end"
            }
        }
        if let chance = forecast.successProbability, !(0...1).contains(chance) {
            return "its probability of success is not in 0…1"
        }
        guard (0...100).contains(forecast.confidence) else { return "its confidence is not in 0…100" }
        guard forecast.explanationBase.isFinite, forecast.explanation.allSatisfy({ $0.factor.isFinite }) else {
            return "its reasons are no numbers"
        }
        return nil
    }

    /// 2026-01-05, a Monday.
    private static let start = 1_767_571_200.0
    private static let day = 86_400.0

    /// A history with finished tasks of one person, so that the test covers features of a past.
    private static var history: History {
        var history = History()
        history.apply(
            (0..<12).map { index in
                let decided = start + Double(index) * 7 * day
                return HistoryChange.allocation(
                    Allocation(
                        id: "\(index)", employee: "known", project: "known", skills: ["skill"],
                        plannedHours: Double(4 + index), allocationPercent: 50, actualHours: Double(5 + index),
                        start: decided, plannedEnd: decided + 3 * day, decidedAt: decided,
                        completedAt: decided + 4 * day))
            })
        return history
    }

    /// People known and unknown, with a plan and without, with details and without, short and long.
    private static var decisions: [Decision] {
        let asked = start + 100 * day
        return ["known", "unknown"].flatMap { person in
            ([nil, 0.5, 8, 400] as [Double?]).flatMap { planned in
                [
                    Decision(employee: person, project: person, plannedHours: planned, at: asked),
                    Decision(
                        employee: person, project: person, skills: ["skill"], labels: ["kind": "work"],
                        plannedHours: planned, allocationPercent: 40, start: asked, end: asked + 10 * day, at: asked),
                ]
            }
        }
    }
}

extension KeptFeatures {
    fileprivate var isNamedInFull: Bool { self.set.names.count == values.count }
}
