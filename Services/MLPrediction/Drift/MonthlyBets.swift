import Foundation

/// The bets on one kind of change within a month.
///
/// Several tests share the capital, each of its own observations. Their mean is evidence as each of them is (Vovk and Wang,
/// "E-values: calibration, combination and applications", 2021).
struct MonthlyBets: Sendable {
    /// What was found at the moment at which the evidence reached the limit.
    struct Finding: Sendable {
        let at: Date
        let evidence: Double
        /// Which test has found most, and its observations in the month until then.
        let test: Int
        let said: [Double]
        let came: [Double]
    }

    private let limit: Double
    private var tests: [BettingTest]
    private var said: [[Double]]
    private var came: [[Double]]
    private(set) var finding: Finding?

    /// - Parameter limit: evidence that is reached by chance once in so many months.
    init(_ tests: [BettingTest], limit: Double) {
        self.tests = tests
        self.limit = limit
        said = tests.map { _ in [] }
        came = said
    }

    /// Takes the next observation in the order of time. What comes after the finding changes nothing.
    mutating func take(
        _ test: Int, at moment: Date, said chance: Double, came truth: Double, _ observe: (inout BettingTest) -> Void
    ) {
        guard finding == nil else { return }
        said[test].append(chance)
        came[test].append(truth)
        observe(&tests[test])
        let evidence = tests.reduce(0) { $0 + $1.capital } / Double(tests.count)
        guard evidence >= limit else { return }
        let most = tests.indices.max { tests[$0].capital < tests[$1].capital } ?? test
        finding = Finding(at: moment, evidence: evidence, test: most, said: said[most], came: came[most])
    }
}
