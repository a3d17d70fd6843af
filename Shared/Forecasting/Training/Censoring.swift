import Foundation

/// Whether work that is unfinished at a cut is short or long is not known. Of recent decisions only the short work has finished, so
/// a sample of finished work alone is biased toward short work.
///
/// Finished rows therefore stand for the unfinished ones decided beside them: each counts by the inverse of the probability
/// that work of its duration was finished by the cut (inverse probability of censoring weights: Robins and Rotnitzky 1992;
/// for judging forecasts Graf, Schmoor, Sauerbrei and Schumacher 1999). Every decision's time until the cut is known, so
/// that probability is a share that is counted, not estimated.
///
/// Rows may be chosen by when their work was finished: then of what was decided before the first of these moments only the long work
/// is among them (left truncation). Together with the first rule this would count long work twice, so a row counts by the inverse of the
/// probability that work of its duration was finished between that moment and the cut.
struct Censoring: Sendable {
    /// Moments of all decisions, finished or not, ascending; empty where nothing is known of the unfinished.
    let decisions: [Double]
    /// What was finished before this moment is not among the rows.
    var knownFrom = -Double.infinity

    /// Nothing is censored: what is given is all there is.
    static let none = Censoring(decisions: [])

    /// No finished row counts for more than so many times what work of no duration counts for.
    private static let mostWeight = 20.0
    /// Weights so close to 1 on average are taken as 1.
    private static let least = 1.02

    struct Weights: Sendable {
        /// Of the rows in their order, with a mean of 1; empty when all count alike.
        var values: [Double] = []
        /// Share of what was decided that finished rows can stand for, 0…1; the rest lasts longer than the rows go back.
        var reach = 1.0

        /// How many rows so many finished ones cannot stand for; a share that is within three standard errors of none is none.
        func beyond(_ count: Int) -> Double {
            let noise = 3 * (reach * (1 - reach) / Double(max(1, count))).squareRoot()
            return 1 - reach <= max(0.02, noise) ? 0 : Double(count) * (1 / max(reach, 0.5) - 1)
        }
    }

    /// - Parameters:
    ///   - rows: finished before `cutoff`, decided in `span`.
    ///   - most: no weight is more times that of work of no duration; nil for the usual.
    func weights(of rows: [LearningRow], decidedIn span: Range<Double>, knownAt cutoff: Double, most: Double? = nil)
        -> Weights
    {
        weights(
            ofDurations: rows.map { max(0, $0.completedAt - $0.decision.at) }, decidedIn: span, knownAt: cutoff,
            most: most)
    }

    /// - Parameter durations: of finished work, from its decision.
    fileprivate func weights(
        ofDurations durations: [Double], decidedIn span: Range<Double>, knownAt cutoff: Double, most: Double? = nil
    ) -> Weights {
        guard !decisions.isEmpty, !durations.isEmpty, cutoff.isFinite else { return Weights() }
        let first = decisions.lowerBound(of: span.lowerBound)
        let end = decisions.lowerBound(of: span.upperBound)
        guard end > first else { return Weights() }
        let decided = Double(end - first)
        func weight(_ duration: Double) -> Double {
            // Decided early enough for work of this duration to be finished by the cut.
            let known = decisions.lowerBound(of: (cutoff - duration).nextUp)
            // And late enough not to be finished before the rows begin.
            let left = max(first, decisions.lowerBound(of: knownFrom - duration))
            return decided / Double(max(1, min(known, end) - left))
        }
        let raw = durations.map(weight)
        let reach = min(1, raw.reduce(0, +) / decided)
        // Where rows are cut out of a long history, each stands for many that were finished before.
        let briefest = weight(0)
        let held = raw.map { min($0 / briefest, most ?? Self.mostWeight) }
        let mean = held.reduce(0, +) / Double(held.count)
        guard mean > Self.least else { return Weights(reach: reach) }
        return Weights(values: held.map { $0 / mean }, reach: reach)
    }

    /// How long work takes that is among the longest twentieth; 0 where that cannot be told.
    /// - Parameter rows: finished before `cutoff`.
    func longDuration(_ rows: [LearningRow], knownAt cutoff: Double) -> Double {
        let durations = rows.map { max(0, $0.completedAt - $0.decision.at) }.sorted()
        return duration(exceededBy: 0.05, of: durations, knownAt: cutoff) ?? 0
    }

    /// The duration that only a share of all work exceeds (Kaplan and Meier 1958, among work that ends at all); nil where nothing
    /// has finished or nothing is known of the unfinished.
    /// - Parameters:
    ///   - share: 0…1.
    ///   - durations: of work finished before `cutoff`, ascending.
    func duration(exceededBy share: Double, of durations: [Double], knownAt cutoff: Double) -> Double? {
        guard !decisions.isEmpty, cutoff.isFinite else { return nil }
        // At risk at a duration: not finished before it, decided early enough to have been seen so long, and late enough for its end
        // to be among the rows.
        var survival = 1.0
        var curve: [(duration: Double, survival: Double)] = []
        var index = 0
        while index < durations.count {
            let duration = durations[index]
            var end = index
            while end < durations.count, durations[end] == duration { end += 1 }
            let seen =
                decisions.lowerBound(of: (cutoff - duration).nextUp) - decisions.lowerBound(of: knownFrom - duration)
            // Of those seen so long, some had finished before; in expectation the share that had not is the survival.
            let atRisk = max(Double(end - index), Double(seen) * survival)
            survival *= 1 - Double(end - index) / atRisk
            curve.append((duration, survival))
            index = end
        }
        guard let last = curve.last else { return nil }
        let goal = last.survival + share * (1 - last.survival)
        return curve.first { $0.survival <= goal }?.duration ?? last.duration
    }
}

/// What finished work counts for beside what was asked about with it and is not finished.
public enum FinishedWork {
    /// As in the figures of a model (``Censoring``), with a mean of 1.
    /// - Parameters:
    ///   - durations: seconds from the question to the end of the work, of each that is finished.
    ///   - asked: moments of all questions, finished or not, seconds since 1970.
    ///   - moment: until which it is known what was finished.
    public static func weights(durations: [Double], asked: [Double], knownAt moment: Double) -> [Double] {
        let decisions = asked.sorted()
        let found = decisions.first.map { first in
            Censoring(decisions: decisions).weights(
                ofDurations: durations.map { max(0, $0) }, decidedIn: first..<max(first, moment), knownAt: moment
            ).values
        }
        guard let found, !found.isEmpty else { return [Double](repeating: 1, count: durations.count) }
        return found
    }
}

/// Weights of rows times further weights of the same rows; either may be empty, which is all alike.
func product(_ a: [Double], _ b: [Double]) -> [Double] {
    a.isEmpty ? b : b.isEmpty ? a : zip(a, b).map { $0 * $1 }
}
