import Contracts
import Forecasting
import Foundation

/// How long the watch waits for what comes of work, counted from the decision on the work.
///
/// Short work ends first, so that the outcomes that have come in are no fair sample of what was asked: they would say that a new model's
/// chances no longer come true, although nothing has changed. An outcome is therefore looked at when nearly all work that was decided
/// with it has ended, after the same wait for all of them. Work that lasts longer is left out, and nothing is assumed of it: a chance
/// among the rest lies within bounds (Manski, "Nonparametric bounds on treatment effects", 1990), and evidence is what lies outside.
struct OutcomeWait: Sendable, Equatable {
    /// Share of work that lasts longer, 0…1.
    let leftOut: Double
    let seconds: TimeInterval

    /// Leaving out more would be quicker, but hide smaller changes; with one in fifty, changes were found soonest in simulated companies.
    private static let share = 0.02

    init(leftOut: Double, seconds: TimeInterval) {
        self.leftOut = leftOut
        self.seconds = seconds
    }

    /// As the tenant's whole history tells at a moment: a model's own life may be shorter than its work. nil where the history is too
    /// short to tell.
    init?(_ durations: WorkDurations, asOf moment: Date) {
        guard let seconds = durations.seconds(exceededBy: Self.share, asOf: moment.timeIntervalSince1970) else {
            return nil
        }
        self.init(leftOut: Self.share, seconds: seconds)
    }

    /// What a chance among all work may be among the work that is looked at.
    func bounds(on chance: Double) -> ClosedRange<Double> {
        let chance = min(max(chance, 0), 1)
        return max(0, (chance - leftOut) / (1 - leftOut))...min(1, chance / (1 - leftOut))
    }

    /// The moment at which an outcome is looked at; nil when the work lasted longer than the wait.
    func due(_ outcome: WatchedOutcome) -> Date? {
        outcome.actual.completedAt.timeIntervalSince(outcome.decidedAt) <= seconds
            ? outcome.decidedAt.addingTimeInterval(seconds) : nil
    }

    /// When the work was decided whose outcomes are looked at in a span.
    func decided(dueIn span: Range<Date>) -> Range<Date> {
        span.lowerBound.addingTimeInterval(-seconds)..<span.upperBound.addingTimeInterval(-seconds)
    }
}
