extension ForecastModel {
    /// Answers a decision from the model and what `history` knew before the decision's moment.
    /// - Parameter explaining: whether what moved the estimate is wanted; the explanation is empty without.
    public func forecast(_ decision: Decision, history: History, explaining: Bool = true) -> Forecast {
        forecastWithFeatures(decision, history: history, explaining: explaining).forecast
    }

    /// The same, and the numbers that it is made from, as ``features(of:history:)`` has them.
    public func forecastWithFeatures(
        _ decision: Decision, history: History, explaining: Bool = true
    ) -> (forecast: Forecast, schema: FeatureSchema, features: [Float]) {
        let decision = usable(decision)
        let variant = variant(for: decision)
        let builder = FeatureBuilder(schema: variant.schema, history: history)
        let explained = explaining ? builder.explainedValues(decision) : nil
        let features = explained?.values ?? builder.values(decision)
        let forecast = features.withUnsafeBufferPointer { row in
            let answer = variant.answer(row, to: decision)
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
                explanation: explained.map { variant.explanation(row, answer, $0.evidence) } ?? [],
                kind: variant.candidates[variant.winner].name,
                knowsEmployee: row[variant.columns.personCount] > 0)
        }
        return (forecast, variant.schema, features)
    }

    /// The decision as far as the model can use it: a plan that it cannot use must not half-reach the features.
    func usable(_ decision: Decision) -> Decision {
        (decision.plannedHours ?? 0) > 0 && planned != nil ? decision : decision.withoutPlan
    }
}
