import Basics
import Contracts
import Foundation

/// All that decides whether a model takes over from the one beside which it answers. Pure: no clock, no database.
///
/// The two are compared once: as soon as days and outcomes are enough, which does not depend on what came out. A tenant whose
/// outcomes are few does not wait for ever: at the end the comparison made at training decides, as long as the few
/// outcomes do not speak against it; where that comparison was not possible either, the deployed model stays.
struct ShadowStanding: Sendable, Equatable {
    let version: Int
    let startedAt: Date
    let leastDays: Int
    let leastOutcomes: Int
    /// Whether the comparison when the model was trained, on tasks new to both, spoke for it.
    let isFavoured: Bool
    var figures: ShadowFigures?

    enum Verdict: Sendable, Equatable {
        /// Each with why, or what for, in words.
        case wait(String)
        case deploy(String)
        case refuse(String)
    }

    /// So many times the least days pass before the end.
    private static let patience = 4

    var endsAt: Date { day(Self.patience * leastDays) }

    func verdict(at now: Date) -> Verdict {
        let known = figures?.outcomes ?? 0
        let soFar = "\(known) of \(leastOutcomes) outcomes so far"
        guard now >= day(leastDays) else {
            return .wait("It answers beside the deployed model until \(text(day(leastDays))) at least; \(soFar).")
        }
        if known >= leastOutcomes, let comparison = figures?.comparison {
            let words =
                "beside the deployed model, on \(known) tasks that both had answered before (\(Self.words(comparison)))"
            return comparison.favoursNew
                ? .deploy("Version \(version) was deployed: it proved itself \(words).")
                : .refuse("Version \(version) was not deployed: it was no better \(words).")
        }
        guard now >= endsAt else {
            return .wait(
                "It answers beside the deployed model until enough came true: \(soFar), until \(text(endsAt)).")
        }
        let few = "only \(known) of \(leastOutcomes) outcomes came within \(Self.patience * leastDays) days"
        guard isFavoured else {
            return .refuse(
                "Version \(version) was not deployed: \(few), and when it was trained too few tasks were new to both "
                    + "models. Deploy it by hand if you know it to be better.")
        }
        if let comparison = figures?.comparison, !comparison.favoursNew {
            return .refuse(
                "Version \(version) was not deployed: \(few), and they speak against it (\(Self.words(comparison))).")
        }
        return .deploy(
            "Version \(version) was deployed on the comparison made when it was trained: \(few), and they do not speak "
                + "against it\(figures?.comparison.map { " (\(Self.words($0)))" } ?? "").")
    }

    private func day(_ number: Int) -> Date { startedAt.addingTimeInterval(Double(number) * 86_400) }

    private func text(_ moment: Date) -> String { WireJSON.timestamp(moment) }

    private static func words(_ comparison: ShadowComparison) -> String {
        func hours(_ hours: Double) -> String { String(Double((hours * 100).rounded()) / 100) }
        return "mean error \(hours(comparison.meanAbsoluteError)) hours against "
            + "\(hours(comparison.incumbentMeanAbsoluteError)), a difference of \(hours(comparison.meanDifference)), "
            + "95 % interval \(hours(comparison.low)) to \(hours(comparison.high))"
            + (comparison.isWorse ? ", worse beyond noise in one of its figures" : "")
    }
}
