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

    /// 95 % intervals of MAE, PRED(25) and log-RMSE.
    static func intervals(actual: [Double], forecast: [Double], seed: UInt64) -> [BootstrapInterval] {
        guard !actual.isEmpty else { return [] }
        let figures: [(String, (HoursMetrics) -> Double)] = [
            ("mae", { $0.mae }), ("pred25", { $0.pred25 }), ("log_rmse", { $0.logRMSE }),
        ]
        var drawn = figures.map { _ in [Double]() }
        _ = resample(count: actual.count, rounds: 200, seed: seed) { rows in
            if let metrics = Statistics.hours(actual: rows.map { actual[$0] }, forecast: rows.map { forecast[$0] }) {
                for (index, figure) in figures.enumerated() { drawn[index].append(figure.1(metrics)) }
            }
            return 0
        }
        return zip(figures, drawn).map { figure, values in
            BootstrapInterval(figure: figure.0, low: percentile(values, 0.025), high: percentile(values, 0.975))
        }
    }

    private static func resample(
        count: Int, rounds: Int = rounds, seed: UInt64, _ figure: ([Int]) -> Double
    ) -> [Double] {
        var random = RandomSource(seed: seed)
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
