import Foundation

/// Ranks candidates on rows that none of their members saw while being fitted.
struct Selection {
    let rows: [LearningRow]
    let withPlan: Bool
    /// How many of the rows, at the end, are the validation slice.
    let lastCount: Int
    /// Of the rows, with a mean of 1; empty when all count alike.
    var weights: [Double] = []
    let seed: UInt64

    struct Choice {
        var winner: Int
        var baseline: Int
        var beatsBaseline: Bool
        var scores: [Double]
        var hours: [[Double]]
    }

    /// How much better, in score, one kind of model alone must be than a mean of several kinds.
    static let handicap = 0.03
    /// How much better, in score, another candidate must be than the usual one: which of near equals leads is chance.
    static let usualLead = 0.03
    /// Snaps worth trying, as log ratios to the plan. Wider ones gain no more hits and move estimates that were right.
    static let snaps = [0, 0.05, 0.1]
    /// Shares of the distance from the plan worth trying.
    static let trusts = [1, 0.75, 0.5, 0.25]
    /// What believing nothing must gain over believing everything, in score: the model that serves has learned from more
    /// than those that the windows judged.
    static let caution = 0.08
    /// What the best baseline must gain, in score, over models that have not proven themselves, for the same reason.
    static let baselineLead = 0.02

    func choose(_ candidates: inout [HoursCandidate], predictions: MemberPredictions) -> Choice {
        let actual = rows.map(\.hours)
        // The network was fitted once, to all rows before the validation slice: only there can it be judged.
        let last = rows.count - lastCount
        var hours = candidates.map { hoursOf($0, predictions) }
        let prior = hoursOf(HoursCandidate(name: "", title: "", members: [.prior]), predictions)
        let lastWeights = weights.isEmpty ? [] : Array(weights[last...])
        let reference = metrics(actual, prior, weights)
        let referenceLast = metrics(Array(actual[last...]), Array(prior[last...]), lastWeights)
        var scores: [Double] = []
        for index in candidates.indices {
            if candidates[index].isFittedOnce {
                scores.append(
                    SelectionScore.score(
                        metrics(Array(actual[last...]), Array(hours[index][last...]), lastWeights),
                        over: referenceLast))
                continue
            }
            // All windows count, the latest slice once more: what was true lately is likelier to be true next.
            func score(_ hours: [Double]) -> Double {
                let all = SelectionScore.score(metrics(actual, hours, weights), over: reference)
                return 0.75 * all
                    + 0.25
                    * SelectionScore.score(
                        metrics(Array(actual[last...]), Array(hours[last...]), lastWeights), over: referenceLast)
            }
            var best = score(hours[index])
            if withPlan, !candidates[index].isBaseline {
                for trust in Self.trusts {
                    for snap in Self.snaps {
                        var other = candidates[index]
                        (other.trust, other.snap) = (trust, snap)
                        let tried = hoursOf(other, predictions)
                        let figure = score(tried) + Self.caution * (1 - trust)
                        if figure < best { (best, candidates[index], hours[index]) = (figure, other, tried) }
                    }
                }
            }
            scores.append(best)
        }
        let baselines = candidates.indices.filter { candidates[$0].isBaseline }
        let baseline = baselines.min { scores[$0] < scores[$1] } ?? 0
        // A mean over kinds of models is steadier than any kind: one kind alone has to be clearly better to be preferred.
        let handicapped = candidates.indices.map {
            scores[$0] + (candidates[$0].kinds.count > 1 ? 0 : Self.handicap)
        }
        var winner = candidates.indices.min { handicapped[$0] < handicapped[$1] } ?? baseline
        if let usual = candidates.firstIndex(where: { $0.name == CandidateCatalogue.usual }),
            scores[usual] <= scores[winner] + Self.usualLead
        {
            winner = usual
        }
        let from = candidates[winner].isFittedOnce ? last : 0
        let beats =
            winner != baseline
            && SelectionScore.isBetter(
                actual: Array(actual[from...]), candidate: Array(hours[winner][from...]),
                baseline: Array(hours[baseline][from...]),
                weights: weights.isEmpty ? [] : Array(weights[from...]), seed: seed)
        // Not proven is not wrong: an equal in the windows, which had less to learn from, is the better bet today, and is
        // said to be no more than that.
        if !beats, scores[winner] > scores[baseline] + Self.baselineLead { winner = baseline }
        return Choice(winner: winner, baseline: baseline, beatsBaseline: beats, scores: scores, hours: hours)
    }

    private func hoursOf(_ candidate: HoursCandidate, _ predictions: MemberPredictions) -> [Double] {
        zip(rows, candidate.estimates(predictions)).map { row, estimate in
            withPlan ? row.planned * exp(estimate) : exp(estimate)
        }
    }

    private func metrics(_ actual: [Double], _ forecast: [Double], _ weights: [Double]) -> HoursMetrics {
        Statistics.hours(actual: actual, forecast: forecast, weights: weights)
            ?? HoursMetrics(count: 0, mae: 0, medianAbsoluteError: 0, pred25: 0, logRMSE: 0, standardisedAccuracy: nil)
    }
}
