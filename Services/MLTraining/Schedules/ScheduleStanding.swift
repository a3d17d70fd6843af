import Basics
import Contracts
import Foundation

/// All that decides whether a schedule starts a job now. Pure: no clock, no database.
struct ScheduleStanding: Sendable, Equatable {
    /// A scheduled job that came to no model.
    struct Failure: Sendable, Equatable {
        let at: Date
        /// In a planner's words.
        let reason: String
    }

    let everyDays: Int?
    let newOutcomes: Int?
    /// The moment up to which the latest model has learned; nil before the first model.
    let learnedUpTo: Date?
    /// nil before they have been counted, and where they are not asked for.
    var outcomesFound: Int?
    let hasOpenJob: Bool
    /// Scheduled jobs that came to no model, one after the other, since the last success or change of the schedule.
    let failures: Int
    let lastFailure: Failure?
    /// The deployed model, where none was trained after it.
    var newestIsDeployed: ModelID?
    /// nil where the deployed model can answer, and before it was looked at.
    var fault: ModelFault?

    enum Verdict: Sendable, Equatable {
        /// With why, in words.
        case due(String)
        /// With what for, in words.
        case waiting(String)
    }

    func verdict(at now: Date) -> Verdict {
        if hasOpenJob { return .waiting("A training job is queued or running already.") }
        guard let reason = reason(at: now) else { return .waiting(expectation) }
        if let lastFailure, let retryAt, now < retryAt {
            let jobs = failures == 1 ? "The last scheduled job" : "The last \(failures) scheduled jobs"
            return .waiting(
                "\(jobs) gave no model: \(Self.sentence(lastFailure.reason)) It is tried again from \(WireJSON.timestamp(retryAt))."
            )
        }
        return .due(reason)
    }

    /// When the next job is due by time; nil when only outcomes make one due.
    func nextDueAt(from now: Date) -> Date? {
        let byTime = everyDays.map { days in learnedUpTo?.addingTimeInterval(Double(days) * 86_400) ?? now }
        guard let retryAt else { return byTime }
        if reason(at: now) != nil { return retryAt }
        return byTime.map { max($0, retryAt) }
    }

    /// Up to a day: history does not grow faster.
    static let backoff = Backoff(first: .seconds(3_600), maximum: .seconds(86_400))

    private var retryAt: Date? {
        guard failures > 0, let lastFailure else { return nil }
        return lastFailure.at.addingTimeInterval(Self.backoff.pause(after: failures).inSeconds)
    }

    private func reason(at now: Date) -> String? {
        // A newer model that was not deployed either would be no better for another one.
        if let fault, fault.model == newestIsDeployed {
            return "The deployed model cannot answer any more: \(fault.reason)."
        }
        if let everyDays {
            guard let learnedUpTo else { return "There is no model yet." }
            if now >= learnedUpTo.addingTimeInterval(Double(everyDays) * 86_400) {
                return "The latest model learned up to \(WireJSON.timestamp(learnedUpTo)), "
                    + "\(Self.count(everyDays, "day")) ago or more."
            }
        }
        if let newOutcomes, let outcomesFound, outcomesFound >= newOutcomes {
            return "At least \(Self.count(newOutcomes, "new outcome")) since the latest model."
        }
        return nil
    }

    private var expectation: String {
        var parts: [String] = []
        if let everyDays, let learnedUpTo {
            let due = learnedUpTo.addingTimeInterval(Double(everyDays) * 86_400)
            parts.append("until \(WireJSON.timestamp(due))")
        }
        if let newOutcomes {
            let found = outcomesFound.map { "\($0) so far" } ?? "not counted yet"
            parts.append("for \(Self.count(newOutcomes, "new outcome")) (\(found))")
        }
        return "Waits \(parts.joined(separator: " or "))."
    }

    private static func sentence(_ words: String) -> String { words.hasSuffix(".") ? words : words + "." }

    private static func count(_ number: Int, _ noun: String) -> String { "\(number) \(noun)\(number == 1 ? "" : "s")" }
}
