import Contracts

/// Ranks who else could do the work.
///
/// score = 0.4 × success probability + 0.2 × (fewest hours among all compared ÷ own hours) + 0.2 × availability
/// + 0.2 × skill match; each part and the score lie in 0…1. Success weighs most because it is what a planner is after;
/// the other three are what a planner gives and takes between. Where no success probability is known, the other three
/// share its weight evenly.
enum AlternativeRanking {
    struct Candidate: Sendable, Equatable {
        let employeeId: EmployeeID
        let name: String
        let estimatedHours: Double
        let successProbability: Double?
        /// 0…1
        let availability: Double
        /// 0…1
        let skillMatch: Double
    }

    static func score(_ candidate: Candidate, fewestHours: Double) -> Double {
        let hours = candidate.estimatedHours > 0 ? min(1, fewestHours / candidate.estimatedHours) : 0
        guard let success = candidate.successProbability else {
            return (hours + candidate.availability + candidate.skillMatch) / 3
        }
        return 0.4 * success + 0.2 * (hours + candidate.availability + candidate.skillMatch)
    }

    /// The best `count`, best first; equal scores by id, so that equal questions get equal answers.
    static func best(_ candidates: [Candidate], count: Int) -> [AlternativeOption] {
        let fewest = candidates.map(\.estimatedHours).min() ?? 0
        return
            candidates
            .map { ($0, score($0, fewestHours: fewest)) }
            .sorted { $0.1 != $1.1 ? $0.1 > $1.1 : $0.0.employeeId.description < $1.0.employeeId.description }
            .prefix(count)
            .map { candidate, score in
                AlternativeOption(
                    employeeId: candidate.employeeId, name: candidate.name, estimatedHours: candidate.estimatedHours,
                    successProbability: candidate.successProbability, availability: candidate.availability,
                    skillMatch: candidate.skillMatch, score: score)
            }
    }
}
