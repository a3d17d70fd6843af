import Foundation

extension ForecastModel {
    /// Answers from a history alone, for tenants without a model: the plan × the person's own shrunk ratio for this kind of task;
    /// without a plan the person's shrunk median. It gives neither ranges nor chances, having nothing to calibrate them on.
    public static let baseline = ForecastModel(
        seed: 0, learnedUntil: -.infinity, trainedRows: 0, planned: unfitted(withPlan: true),
        unplanned: unfitted(withPlan: false))

    /// Hours of a task when nothing at all is known.
    private static let priorHours = 4.0

    private static func unfitted(withPlan: Bool) -> VariantModel {
        let members = FittedMembers([
            .prior: withPlan ? .planned : .constant(log(priorHours)), .shrunkMedian: .shrunkMedian,
        ])
        let candidates = CandidateCatalogue.candidates(of: members.names, withPlan: withPlan)
        guard let winner = candidates.firstIndex(where: { $0.members == [.shrunkMedian] }) else {
            preconditionFailure("the catalogue has no candidate of the shrunk median alone")
        }
        return VariantModel(
            schema: FeatureSchema(withPlan: withPlan), members: members, candidates: candidates, winner: winner,
            intervals: ConformalIntervals(levels: []), success: nil, near: EventClassifier(baseRate: 0.5))
    }
}
