import Foundation

/// The model of one kind of question: with the planned hours known, or without.
struct VariantModel: Sendable {
    var schema: FeatureSchema
    var members: FittedMembers
    var candidates: [HoursCandidate]
    /// Index of the candidate that answers.
    var winner: Int
    var intervals: ConformalIntervals
    var success: EventClassifier?
    /// The chance that the actual hours lie within 25 % of the winner's estimate.
    var near: EventClassifier
    /// Of its estimates since it was fitted; no part of an artefact.
    var latestErrors = LatestErrors.none
    let columns: FeatureSchema.Columns
    /// Per column, what its effect is put down to.
    let causes: [Cause]

    init(
        schema: FeatureSchema, members: FittedMembers, candidates: [HoursCandidate], winner: Int,
        intervals: ConformalIntervals, success: EventClassifier?, near: EventClassifier
    ) {
        self.schema = schema
        self.members = members
        self.candidates = candidates
        self.winner = winner
        self.intervals = intervals
        self.success = success
        self.near = near
        columns = schema.columns
        causes = schema.causes
    }

    /// An answer on the members' scale.
    /// - Parameter move: by which the latest errors move it (``LatestErrors``).
    func estimate(_ row: UnsafeBufferPointer<Float>, candidate: Int, move: Double = 0) -> Double {
        let candidate = candidates[candidate]
        return candidate.combine(candidate.members.map { members[$0].predict(row, columns: columns) }, move: move)
    }

    /// What the winner's members say of each row, on their scale, moved by no error and not taken for the plan where it is near.
    func means(_ matrix: FeatureMatrix) -> [Double] {
        let winner = candidates[winner]
        return matrix.forEachRow { _, row in
            winner.mean(winner.members.map { members[$0].predict(row, columns: columns) })
        }
    }

    /// From the members' scale to hours of nine digits; an estimate of 0 is the plan to the last digit.
    func hours(_ estimate: Double, planned: Double) -> Double {
        Self.hours(estimate, planned: planned, withPlan: schema.withPlan)
    }

    static func hours(_ estimate: Double, planned: Double, withPlan: Bool) -> Double {
        let bounded = min(max(estimate, -20), 20)
        if withPlan, bounded == 0 { return planned }
        return (withPlan ? planned * exp(bounded) : exp(bounded)).nineDigits
    }

    /// Whether some linear model is held to what it has seen (``RidgeModel/held(to:except:)``).
    var isHeld: Bool {
        members.linears.contains(where: \.isHeld) || [success?.linear, near.linear].contains { $0?.isHeld == true }
    }

    func encode(into writer: inout ByteWriter) {
        writer.write(schema.withPlan)
        writer.write(schema.labelKeys)
        writer.write(schema.usesPlannedEnd)
        writer.write(schema.usesPercentage)
        writer.write(schema.longestSilence ?? .infinity)
        writer.write(schema.expects.rawValue)
        if writer.formatVersion >= 4 { writer.write(schema.usesTitles) }
        if writer.formatVersion >= 5 { writer.write(schema.usesEffort) }
        if writer.formatVersion >= 6 { writer.write(schema.usesHoursPerDay) }
        members.encode(into: &writer)
        writer.write(candidates) { $1.encode(into: &$0) }
        writer.write(Int32(winner))
        intervals.encode(into: &writer)
        writer.write(success != nil)
        success?.encode(into: &writer)
        near.encode(into: &writer)
    }

    init(from reader: inout ByteReader) throws {
        var schema = FeatureSchema(
            withPlan: try reader.bool(), labelKeys: try reader.strings(), usesPlannedEnd: try reader.bool())
        if reader.formatVersion >= 3 {
            schema.usesPercentage = try reader.bool()
            let silence = try reader.double()
            schema.longestSilence = silence.isFinite ? silence : nil
            schema.expects = QuestionDetails(rawValue: try reader.integer())
            if reader.formatVersion >= 4 { schema.usesTitles = try reader.bool() }
            if reader.formatVersion >= 5 { schema.usesEffort = try reader.bool() }
            if reader.formatVersion >= 6 { schema.usesHoursPerDay = try reader.bool() }
        }
        let columns = schema.columns.count
        let members = try FittedMembers(from: &reader, columns: columns)
        let candidates = try reader.array { try HoursCandidate(from: &$0, fitted: members.names) }
        let winner = Int(try reader.integer(Int32.self))
        guard candidates.indices.contains(winner) else {
            throw ArtifactError(description: "the artefact has no winner")
        }
        let intervals = try ConformalIntervals(from: &reader, columns: columns)
        let success = try reader.bool() ? EventClassifier(from: &reader, columns: columns) : nil
        let near = try EventClassifier(from: &reader, columns: columns)
        self.init(
            schema: schema, members: members, candidates: candidates, winner: winner, intervals: intervals,
            success: success, near: near)
    }
}
