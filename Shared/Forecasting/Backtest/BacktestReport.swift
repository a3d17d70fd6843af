import Foundation

/// What a replay of a span came to, for people and for machines.
public struct BacktestReport: Sendable, Codable, Equatable {
    /// Decisions asked about, and those of them whose outcome is known.
    public var asked: Int
    public var judged: Int
    /// Share of what was asked about that the judged can stand for, 0…1.
    public var reach: Double
    /// How often models were fitted along the way.
    public var fits: Int
    /// Names of the candidates that answered.
    public var winners: [String]
    /// `served` first: what was answered; then every candidate on the same rows.
    public var candidates: [CandidateReport]
    /// Mean chance that was stated of coming true within 25 % of the estimate, and how often it did; 0…1.
    public var meanConfidence: Double
    public var withinQuarter: Double
    /// How many of what was asked about, all before the rest, the baseline answered, since too little was known yet to fit a model
    /// to; and how it did on those that are finished. They are in none of the figures above but `asked` and `judged`.
    public var answeredByBaseline: Int
    public var baseline: HoursMetrics?
    /// In words.
    public var card: String

    public init(_ result: Backtest.Result) {
        asked = result.rows.count
        judged = result.rows.count { $0.actualHours != nil }
        reach = result.reach
        fits = result.winners.count
        winners = Set(result.winners).sorted()
        candidates = result.reports
        meanConfidence = result.meanConfidence
        withinQuarter = result.withinQuarter
        answeredByBaseline = result.answeredByBaseline
        baseline = result.baselineHours
        card = ""
        card = words(chancesRefused: result.chancesRefused)
    }

    private func words(chancesRefused: Int) -> String {
        let models =
            fits == 0
            ? "" : ", by models fitted \(fits) time\(fits == 1 ? "" : "s") along the way to what was known by then"
        var lines = ["Asked about \(asked) decisions as they were made\(models); \(judged) of them are finished."]
        if answeredByBaseline > 0 { lines.append(baselineWords) }
        guard let served = candidates.first, let hours = served.overall.hours else {
            return lines.joined(separator: "\n")
                + (baseline == nil ? " Without an outcome there is nothing to judge." : "")
        }
        if reach < 0.95 {
            lines.append(
                "Finished work can stand for \(percent(reach)) of what was decided; the rest takes longer than is known yet, "
                    + "and the figures say nothing of it.")
        }
        lines.append(
            "Hours were off by \(figure(hours.mae)) h on average and by \(figure(hours.medianAbsoluteError)) h in the middle."
        )
        if let baseline = candidates.first(where: \.isBaseline), let plain = baseline.overall.hours {
            lines.append(
                "For \(baseline.title) it is \(figure(plain.mae)) h and \(figure(plain.medianAbsoluteError)) h.")
        }
        if let difference = served.versusBaseline {
            lines.append(
                difference.isBetter
                    ? "The answers are better than the best simple baseline's by more than noise."
                    : difference.isWorse
                        ? "The answers are worse than the best simple baseline's by more than noise."
                        : "The answers are no better than the best simple baseline's by more than noise.")
        }
        for interval in served.overall.intervals {
            lines.append("The \(interval.level) % range held \(percent(interval.coverage)).")
        }
        if let success = served.overall.success {
            let isOfSome = success.count < hours.count
            lines.append(
                "Success (finished within plan) happened in \(percent(success.baseRate))"
                    + (isOfSome ? " of the \(success.count) with recorded hours whose answers gave a chance" : "")
                    + "; the Brier score is "
                    + "\(figure(success.brier)), where always saying that rate scores "
                    + "\(figure(success.baseRate * (1 - success.baseRate))).")
        }
        if chancesRefused > 0 {
            lines.append(
                "Chances of keeping a plan were refused (at \(chancesRefused) of \(fits) fits): on the latest rows known then they "
                    + "had scored worse than always saying the usual rate.")
        }
        lines.append(
            "Confidence was \(percent(meanConfidence)) on average, and \(percent(withinQuarter)) came within 25 % of the estimate."
        )
        return lines.joined(separator: "\n")
    }

    private var baselineWords: String {
        let first = answeredByBaseline == asked ? "them" : "the first \(answeredByBaseline) of them"
        return
            "Too little was known before \(first) to fit a model to: the baseline answered, as it does where no model is deployed"
            + (baseline.map {
                "; its hours were off by \(figure($0.mae)) h on average and by \(figure($0.medianAbsoluteError)) h in the middle"
            } ?? "")
            + "." + (fits == 0 ? "" : " What follows is of the others.")
    }

    private func figure(_ value: Double) -> String { String(format: "%.2f", value) }
    private func percent(_ share: Double) -> String { String(format: "%.0f %%", share * 100) }
}
