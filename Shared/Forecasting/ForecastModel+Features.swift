extension ForecastModel {
    /// Of all kinds of questions that the model answers.
    public var schemas: [FeatureSchema] {
        [planned, unplanned, plannedWithoutDetails, unplannedWithoutDetails].compactMap { $0?.schema }
    }

    /// The numbers that ``forecast(_:history:explaining:)`` answers the decision from, in the order of their schema.
    public func features(of decision: Decision, history: History) -> (schema: FeatureSchema, values: [Float]) {
        let decision = usable(decision)
        let schema = variant(for: decision).schema
        return (schema, FeatureBuilder(schema: schema, history: history).values(decision))
    }
}
