import Foundation

/// How far off a model's estimates of each person's work were since the model was fitted. What is said of the person next moves by
/// as much of it as a few tasks can bear out: people change between one training and the next, and features learn that slowly.
///
/// An error is the outcome less the estimate that no error had moved, on the members' scale.
struct LatestErrors: Sendable, Equatable {
    struct Outcome: Sendable, Equatable {
        /// Among all outcomes, those included of which no estimate could be made, by when they became known.
        var place: Int
        var error: Double
    }

    /// When each outcome became known, ascending.
    private let moments: [Double]
    /// By person, in the order of their places.
    private let outcomes: [String: [Outcome]]

    static let none = LatestErrors(moments: [], outcomes: [:])

    /// So many of the latest outcomes, of all people, count.
    static let window = 500
    /// Seconds after which an error counts half.
    private static let halfLife = 180 * 86_400.0
    /// What is said moves as if so many more tasks had had no error.
    private static let unmoved = 20.0
    /// Of an outcome of more than twice the estimate, or less than half of it, no more is believed than that: few tasks in a
    /// hundred are so far off, and they say little of the next.
    private static let mostError = log(2.0)

    /// - Parameters:
    ///   - moments: when each outcome became known, ascending.
    ///   - outcomes: by person, in the order of their places among `moments`.
    init(moments: [Double], outcomes: [String: [Outcome]]) {
        self.moments = moments
        self.outcomes = outcomes
    }

    var isEmpty: Bool { outcomes.isEmpty }

    /// Those of one person that were known at a moment.
    func errors(of person: String, at moment: Double) -> PersonErrors {
        outcomes[person].map { errors($0, known: moments.lowerBound(of: moment), at: moment) } ?? PersonErrors()
    }

    /// What moves the estimates of many people, in their order; empty where nothing moves any.
    /// - Parameter people: of the history.
    func moves(at moment: Double, of people: [HistoryPerson], history: History) -> [Double] {
        guard !isEmpty else { return [] }
        let known = moments.lowerBound(of: moment)
        var byNumber: [Int32: Double] = [:]
        for (person, own) in outcomes {
            let number = history.person(person).number
            // Nobody's number is that of everybody without work.
            if number >= 0 { byNumber[number] = errors(own, known: known, at: moment).move }
        }
        return people.map { byNumber[$0.number] ?? 0 }
    }

    /// - Parameter known: how many outcomes were known at the moment.
    private func errors(_ own: [Outcome], known: Int, at moment: Double) -> PersonErrors {
        var errors = PersonErrors()
        for outcome in own where outcome.place >= known - Self.window && outcome.place < known {
            let weight = exp2((moments[outcome.place] - moment) / Self.halfLife)
            errors.count += 1
            errors.weight += weight
            errors.sum += weight * min(max(outcome.error, -Self.mostError), Self.mostError)
        }
        errors.move = errors.sum / (errors.weight + Self.unmoved)
        return errors
    }
}

/// The latest errors of one person's estimates.
struct PersonErrors: Sendable, Equatable {
    /// How many tasks they are of.
    var count = 0
    fileprivate var sum = 0.0
    fileprivate var weight = 0.0
    /// What the person's estimates move by, on the members' scale.
    var move = 0.0

    /// Their mean, the latest counting most.
    var mean: Double { weight > 0 ? sum / weight : 0 }
}
