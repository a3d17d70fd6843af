import Basics

/// What resampling the same rows says about chance.
enum Bootstrap {
    static let rounds = 1_000

    /// 95 % interval of the mean of `differences`, the same rows drawn for both sides.
    static func paired(_ differences: [Double], seed: UInt64) -> PairedComparison? {
        guard !differences.isEmpty else { return nil }
        let mean = differences.reduce(0, +) / Double(differences.count)
        let means = resample(count: differences.count, seed: seed) { rows in
            var sum = 0.0
            for row in rows { sum += differences[row] }
            return sum / Double(rows.count)
        }
        return PairedComparison(meanDifference: mean, low: percentile(means, 0.025), high: percentile(means, 0.975))
    }

    /// 95 % intervals of whatever figures can be drawn from rows; a figure that a draw does not have is left out of it.
    /// - Parameter figures: gets the numbers of the drawn rows, 0 ..< `count`.
    static func intervals(
        count: Int, seed: UInt64, _ figures: ([Int]) -> [(name: String, value: Double?)]
    ) -> [BootstrapInterval] {
        guard count > 0 else { return [] }
        var drawn: [(name: String, values: [Double])] = []
        _ = resample(count: count, rounds: 200, seed: seed) { rows in
            for (index, figure) in figures(rows).enumerated() {
                if index == drawn.count { drawn.append((figure.name, [])) }
                if let value = figure.value { drawn[index].values.append(value) }
            }
            return 0
        }
        return drawn.filter { !$0.values.isEmpty }.map {
            BootstrapInterval(
                figure: $0.name, low: percentile($0.values, 0.025), high: percentile($0.values, 0.975))
        }
    }

    private static func resample(
        count: Int, rounds: Int = rounds, seed: UInt64, _ figure: ([Int]) -> Double
    ) -> [Double] {
        var random = SeededGenerator(seed: seed)
        var rows = [Int](repeating: 0, count: count)
        return (0..<rounds).map { _ in
            for index in rows.indices { rows[index] = random.below(count) }
            return figure(rows)
        }
    }

    private static func percentile(_ values: [Double], _ level: Double) -> Double {
        let sorted = values.sorted()
        let position = level * Double(sorted.count - 1)
        let low = Int(position)
        let high = min(low + 1, sorted.count - 1)
        return sorted[low] + (position - Double(low)) * (sorted[high] - sorted[low])
    }
}
