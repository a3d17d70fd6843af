import Basics
import Testing

@testable import Forecasting

/// What is counted along a sweep through time is what a search finds, and a search finds what plain code does.
@Suite struct HistoryCursorsTests {
    /// With removed, corrected and unfinished allocations, several at the same moment, and skills named twice.
    private var history: History {
        var history = History()
        history.apply(
            Company(people: 3).changes(400).map { change in
                guard case .allocation(var allocation) = change else { return change }
                allocation.skills += allocation.skills.prefix(1)
                return .allocation(allocation)
            })
        return history
    }

    /// Moments at which allocations were decided or completed, between two of them, and outside all.
    private func moments(_ history: History) -> [Double] {
        let known = history.allocations.flatMap { (allocation: Allocation) -> [Double] in
            [allocation.decidedAt, allocation.completedAt ?? 0]
        }
        return (known + known.map { $0 + 1 } + [-1, 1e10]).sorted()
    }

    private func expectCounts(_ history: History, at moments: [Double], askingOneIn share: Int) {
        history.read { reader in
            var random = SeededGenerator(seed: 4)
            var cursors = HistoryCursors(reader, sweeping: true)
            var (asked, wrong) = (0, 0)
            for moment in moments {
                cursors.advance(to: moment)
                for group in 0..<Int32(reader.groupCount) where random.below(share) == 0 {
                    let series = reader.series(group).pointee
                    let count = (0..<series.count).count { series.rows?[$0].time ?? .infinity < moment }
                    if cursors.count(group) != count { wrong += 1 }
                    asked += 1
                }
            }
            #expect(asked > 1_000)
            #expect(wrong == 0)
        }
    }

    @Test("a sweep counts the rows of each group, whenever the group is first asked for", arguments: [1, 10, 100])
    func counts(share: Int) {
        let history = history
        expectCounts(history, at: moments(history), askingOneIn: share)
    }

    @Test("a sweep that goes back in time counts what counted then")
    func backwards() {
        let history = history
        var random = SeededGenerator(seed: 8)
        expectCounts(history, at: moments(history).shuffled(using: &random), askingOneIn: 10)
    }

    @Test("decisions in any order get the features that each gets on its own", arguments: [true, false])
    func anyOrder(withPlan: Bool) {
        let history = history
        let schema = FeatureSchema(withPlan: withPlan, labelKeys: ["priority", "team"])
        var random = SeededGenerator(seed: 9)
        let rows = history.learningRows(asOf: .infinity)
        #expect(rows.count > 200)
        for rows in [rows, Array(rows.suffix(90)), rows.shuffled(using: &random)] {
            let alone = rows.flatMap { FeatureBuilder(schema: schema, history: history).values($0.decision) }
            // Compared outside: an expectation that fails would look for the difference of two long arrays.
            let isSame = history.features(of: rows, schema: schema).values.map(\.bitPattern) == alone.map(\.bitPattern)
            #expect(isSame)
        }
    }

    @Test("a search finds its place wherever it begins", arguments: [1, 2, 8, 64, 65, 300])
    func searches(count: Int) {
        var random = SeededGenerator(seed: 11)
        // Crowded at the end, with equal moments, so that a guess in proportion to the time is wrong.
        let times = (0..<count).map { _ in (random.uniform().squareRoot() * 40).rounded() }.sorted()
        times.withUnsafeBufferPointer { buffer in
            guard let base = buffer.baseAddress, let first = times.first, let last = times.last else { return }
            let moments = SortedMoments(times: base, count: count, first: first, last: last)
            for _ in 0..<300 {
                let moment = random.uniform() * 44 - 2
                for moment in [moment, moment.rounded()] {
                    let expected = times.filter { $0 < moment }.count
                    #expect(moments.count(before: moment, from: moments.guess(moment)) == expected)
                    #expect(moments.count(before: moment, from: random.below(count + 1)) == expected)
                }
            }
        }
    }
}
