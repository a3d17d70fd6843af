import Contracts

/// Ranks who could do the work.
///
/// score = 0.4 × success probability + 0.2 × (fewest hours among all compared ÷ own hours) + 0.2 × availability
/// + 0.2 × skill fit; each part and the score lie in 0…1. Success weighs most because it is what a planner is after;
/// the other three are what a planner gives and takes between. Where no success probability is known, the other three
/// share its weight evenly.
enum AlternativeRanking {
    struct Candidate: Sendable, Equatable {
        let employeeId: EmployeeID
        let estimatedHours: Double
        let successProbability: Double?
        /// 0…1
        let availability: Double
        /// 0…1, how well the person has the skills.
        let skillFit: Double
    }

    static func score(_ candidate: Candidate, fewestHours: Double) -> Double {
        let hours = candidate.estimatedHours > 0 ? min(1, fewestHours / candidate.estimatedHours) : 0
        guard let success = candidate.successProbability else {
            return (hours + candidate.availability + candidate.skillFit) / 3
        }
        return 0.4 * success + 0.2 * (hours + candidate.availability + candidate.skillFit)
    }

    struct Ranked: Sendable, Equatable {
        /// Of the candidate among those that were ranked.
        let index: Int
        let score: Double
        /// 1 for the best.
        let rank: Int
    }

    /// The best `count` but one candidate, best first, and the place of that one among all; equal scores by id, so that equal
    /// questions get equal answers.
    /// - Parameter apart: the candidate that stands apart.
    static func rank(_ candidates: [Candidate], count: Int, apart: Int) -> (best: [Ranked], apart: Ranked) {
        let fewest = candidates.map(\.estimatedHours).min() ?? 0
        let scores = candidates.map { score($0, fewestHours: fewest) }
        func isBetter(_ a: Int, _ b: Int) -> Bool {
            scores[a] != scores[b]
                ? scores[a] > scores[b] : candidates[a].employeeId.rawValue < candidates[b].employeeId.rawValue
        }
        // Of thousands a handful is shown: the others need no order.
        var best: [Int] = []
        var before = 0
        for index in candidates.indices where index != apart {
            if isBetter(index, apart) { before += 1 }
            guard count > 0, best.count < count || isBetter(index, best[best.count - 1]) else { continue }
            let place = best.firstIndex { isBetter(index, $0) } ?? best.count
            best.insert(index, at: place)
            if best.count > count { best.removeLast() }
        }
        let own = before + 1
        return (
            best.enumerated().map { place, index in
                Ranked(index: index, score: scores[index], rank: place + 1 + (own <= place + 1 ? 1 : 0))
            },
            Ranked(index: apart, score: scores[apart], rank: own)
        )
    }
}
