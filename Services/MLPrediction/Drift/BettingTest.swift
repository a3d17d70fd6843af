import Foundation

/// Evidence that something has changed, which may be looked at after every observation without ever having to say "once too
/// often".
///
/// A gambler bets on each observation at the odds that hold while nothing has changed. Their capital then goes nowhere: the
/// chance that it ever reaches a hundred times what it began with is at most one in a hundred (Ville 1939; as a test: Shafer
/// and Vovk 2019, Ramdas, Grünwald, Vovk and Shafer 2023). What has changed makes it grow. Several gamblers, each betting in
/// its own way, share the capital, so that a small change is found as well as a large one.
struct BettingTest: Sendable {
    /// Natural logarithms, one for each way to bet.
    private var logCapitals: [Double]
    /// What all gamblers have together, as many times what they began with.
    private(set) var capital = 1.0

    private init(ways: Int) { logCapitals = [Double](repeating: 0, count: ways) }

    private mutating func multiply(by returns: [Double]) {
        for way in logCapitals.indices { logCapitals[way] += log(max(returns[way], 1e-12)) }
        let most = logCapitals.max() ?? 0
        let sum = logCapitals.reduce(0) { $0 + exp($1 - most) }
        capital = exp(min(most, 600)) * sum / Double(logCapitals.count)
    }

    // MARK: Chances that no longer come true

    private static let stakes = [-0.9, -0.5, -0.2, 0.2, 0.5, 0.9]

    /// The test of stated probabilities against their events.
    static var chances: BettingTest { BettingTest(ways: stakes.count) }

    /// - Parameter chance: of what happened or did not, 0…1; where it is known within bounds only, a bet that it is higher is against
    ///   the upper one, and a bet that it is lower against the lower one.
    mutating func observe(_ happened: Bool, chance: ClosedRange<Double>) {
        multiply(
            by: Self.stakes.map { stake in
                1 + stake * ((happened ? 1 : 0) - (stake > 0 ? chance.upperBound : chance.lowerBound))
            })
    }

    // MARK: Values that are not like those before

    /// Powers of the rank: bets that values are among the lowest, or the highest, of all so far.
    private static let powers = [0.3, 0.6]

    /// Of values, each compared with all before it (conformal test martingales: Vovk, Nouretdinov and Gammerman 2003).
    static var order: BettingTest { BettingTest(ways: 2 * powers.count) }

    /// - Parameter rank: of the value among all so far, itself included, 0…1; ties broken at random.
    mutating func observe(rank: Double) {
        let rank = min(max(rank, 1e-6), 1 - 1e-6)
        multiply(
            by: Self.powers.flatMap { power in
                [rank, 1 - rank].map { power * pow($0, power - 1) }
            })
    }
}
