// Each prediction is written at least twice, into its answer and into the log: by hand that takes a tenth of the encoder's time.

extension Prediction: WireLine {
    public func write(to bytes: inout [UInt8]) throws {
        try LineWriter.write(self, to: &bytes) { writer in
            writer.object { $0.fields(of: self) }
            return true
        }
    }

    /// The bytes that `WireJSON` gives.
    /// - Throws: `EncodingError` for a number that JSON cannot hold.
    public func wireBytes() throws -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(4_096)
        try write(to: &bytes)
        bytes.removeLast()
        return bytes
    }
}

extension LineWriter {
    fileprivate mutating func fields(of prediction: Prediction) {
        field("allocationNote", prediction.allocationNote)
        field("alternativeOptions", prediction.alternativeOptions) { $0.fields(of: $1) }
        field("asOf", prediction.asOf)
        field("confidence", prediction.confidence)
        field("estimatedHours", prediction.estimatedHours)
        field("explanation", prediction.explanation) { writer, effect in
            writer.field("effect", effect.effect)
            writer.field("feature", effect.feature)
            writer.field("text", effect.text)
        }
        field("explanationBase", prediction.explanationBase)
        if let interval = prediction.interval { field("interval") { $0.fields(of: interval) } }
        field("intervals", prediction.intervals) { $0.fields(of: $1) }
        field("model") { writer in
            writer.field("artifactSha256", prediction.model.artifactSha256)
            if let id = prediction.model.id { writer.field("id", id) }
            writer.field("kind", prediction.model.kind)
            writer.field("version", prediction.model.version)
        }
        field("peopleCompared", prediction.peopleCompared)
        field("predictionId", prediction.predictionId)
        field("recommendedAllocation", prediction.recommendedAllocation)
        if let standing = prediction.standing { field("standing") { $0.fields(of: standing) } }
        field("successProbability", prediction.successProbability)
        if let warnings = prediction.warnings { field("warnings", warnings) }
    }

    private mutating func fields(of option: AlternativeOption) {
        field("availability", option.availability)
        field("employeeId", option.employeeId)
        field("estimatedHours", option.estimatedHours)
        field("name", option.name)
        field("rank", option.rank)
        field("score", option.score)
        field("skillFit", option.skillFit)
        field("skillMatch", option.skillMatch)
        field("successProbability", option.successProbability)
    }

    private mutating func fields(of interval: HoursInterval) {
        field("high", interval.high)
        field("level", interval.level)
        field("low", interval.low)
    }
}
