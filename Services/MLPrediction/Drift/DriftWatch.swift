import Contracts
import Foundation

/// Detects drift in one model's answers within one calendar month.
///
/// As long as nothing changes, the chance that the month has any alarm is at most one in a hundred: each kind of alarm gets an equal
/// share of it. Every month the watch starts over.
struct DriftWatch: Sendable {
    let model: ModelID
    let month: CalendarMonth

    /// Chance of a false alarm a month.
    static let falseAlarms = 0.01
    /// Evidence that is reached by chance as seldom as one kind of alarm may be false.
    static let limit = Double(DriftAlarm.Kind.allCases.count) / falseAlarms

    /// Those that outcomes give.
    /// - Parameter outcomes: in the order in which the work was decided; those that are not due in the month do not count.
    func alarms(_ outcomes: [WatchedOutcome], after wait: OutcomeWait) -> [DriftAlarm] {
        let due = outcomesDue(outcomes, after: wait)
        return Claim.allCases.compactMap { claim -> DriftAlarm? in
            var bets = MonthlyBets([.chances], limit: Self.limit)
            for (moment, outcome) in due {
                guard let event = outcome.event(claim) else { continue }
                let bounds = wait.bounds(on: event.chance)
                bets.take(0, at: moment, said: event.chance, came: event.happened ? 1 : 0) {
                    $0.observe(event.happened, chance: bounds)
                }
            }
            return bets.finding.map { DriftAlarm($0, claim.kind, of: model, message: claim.message($0)) }
        }
    }

    private func outcomesDue(
        _ outcomes: [WatchedOutcome], after wait: OutcomeWait
    ) -> [(moment: Date, outcome: WatchedOutcome)] {
        let span = month.span
        var seen: Set<Work> = []
        return outcomes.compactMap { outcome -> (moment: Date, outcome: WatchedOutcome)? in
            guard let moment = wait.due(outcome), span.contains(moment),
                // Work that was asked about several times came out once.
                seen.insert(Work(outcome)).inserted
            else { return nil }
            return (moment, outcome)
        }
    }

    private struct Work: Hashable {
        let employee: EmployeeID
        let project: ProjectID
        let completedAt: Date
        let hours: Double

        init(_ outcome: WatchedOutcome) {
            (employee, project) = (outcome.employee, outcome.project)
            (completedAt, hours) = (outcome.actual.completedAt, outcome.actual.actualHours)
        }
    }
}

/// What a prediction states a chance of.
private enum Claim: CaseIterable {
    case confidence
    case range
    case success

    var kind: DriftAlarm.Kind {
        switch self {
        case .confidence: .confidence
        case .range: .range
        case .success: .success
        }
    }

    /// For a planner: what was said this month and what came.
    func message(_ finding: MonthlyBets.Finding) -> String {
        func percent(_ values: [Double]) -> String {
            String(format: "%.0f %%", 100 * values.reduce(0, +) / Double(max(1, values.count)))
        }
        let (count, said, came) = (finding.came.count, percent(finding.said), percent(finding.came))
        return switch self {
        case .confidence:
            "Of \(count) estimates \(said) were said to come true within 25 %, and \(came) did: "
                + "train a model on what has happened since."
        case .range: "80 % ranges held \(came) of \(count) outcomes: train a model on what has happened since."
        case .success:
            "Of \(count) tasks \(said) were said to be finished within their plans, and \(came) "
                + "were: train a model on what has happened since."
        }
    }
}

extension WatchedOutcome {
    /// What was said of an event, and whether it happened; nil where nothing was said.
    fileprivate func event(_ claim: Claim) -> (happened: Bool, chance: Double)? {
        let hours = actual.actualHours
        return switch claim {
        case .confidence:
            confidence.map { (abs(hours - estimatedHours) <= 0.25 * estimatedHours * (1 + 1e-9), $0 / 100) }
        case .range:
            range.map { ($0.lowerBound * (1 - 1e-9) <= hours && hours <= $0.upperBound * (1 + 1e-9), 0.8) }
        case .success:
            plannedHours.flatMap { planned in successProbability.map { (hours <= planned, $0) } }
        }
    }
}

extension DriftAlarm {
    init(_ finding: MonthlyBets.Finding, _ kind: Kind, of model: ModelID, message: String) {
        self.init(
            modelId: model, kind: kind, raisedAt: finding.at, observations: finding.came.count,
            evidence: finding.evidence, message: message)
    }
}
