import Foundation

/// Puts a model's candidates before rows they were not fitted to.
struct Judge {
    let model: VariantModel
    let rows: [LearningRow]
    let matrix: FeatureMatrix
    let seed: UInt64

    /// A person or project with fewer finished tasks than this is new.
    static let newBelow = 5

    func hours(candidate: Int) -> [Double] {
        matrix.forEachRow { _, row in model.hours(model.estimate(row, candidate: candidate), row) }
    }

    func reports(scores: [Double]) -> [CandidateReport] {
        let all = model.candidates.indices.map { hours(candidate: $0) }
        let actual = rows.map(\.hours)
        let baselines = model.candidates.indices.filter { model.candidates[$0].isBaseline }
        let best = baselines.min { (scores.indices.contains($0) ? scores[$0] : 0) < (scores.indices.contains($1) ? scores[$1] : 0) } ?? 0
        let slices = self.slices()
        let probabilities = model.success.map { success in
            matrix.forEachRow { _, row in row.baseAddress.map { success.probability($0) } ?? 0 }
        }
        return model.candidates.enumerated().map { index, candidate in
            let ranges = candidate.isBaseline ? nil : self.ranges(index)
            return CandidateReport(
                name: candidate.name, title: candidate.title, withPlan: model.schema.withPlan,
                isBaseline: candidate.isBaseline,
                slices: slices.map { name, picked in
                    slice(name, picked, actual, all[index], ranges, candidate.isBaseline ? nil : probabilities)
                },
                bootstrap: Bootstrap.intervals(actual: actual, forecast: all[index], seed: seed),
                versusBaseline: index == best
                    ? nil
                    : Bootstrap.paired(
                        actual.indices.map { abs(all[index][$0] - actual[$0]) - abs(all[best][$0] - actual[$0]) }, seed: seed),
                score: scores.indices.contains(index) ? scores[index] : 0)
        }
    }

    /// Per level, each row's range in hours around the candidate's estimate.
    func ranges(_ candidate: Int) -> [(level: Int, ranges: [(low: Double, high: Double)])] {
        var result = model.intervals.levels.map { (level: $0.level, ranges: [(low: Double, high: Double)]()) }
        _ = matrix.forEachRow { _, row in
            guard let base = row.baseAddress else { return 0 }
            let found = model.intervals.ranges(base, around: model.estimate(row, candidate: candidate))
            for (index, range) in found.enumerated() {
                result[index].ranges.append((model.hours(range.low, row), model.hours(range.high, row)))
            }
            return 0
        }
        return result
    }

    private func slices() -> [(String, [Int])] {
        func isNew(_ row: Int, _ column: Int) -> Bool {
            Double(matrix.values[row * matrix.columns + column]) < log1p(Double(Self.newBelow)) - 1e-6
        }
        let everyone = Array(rows.indices)
        return [
            ("all", everyone),
            ("new person", everyone.filter { isNew($0, model.columns.personCount) }),
            ("new project", everyone.filter { isNew($0, model.columns.projectCount) }),
        ].filter { $0.0 == "all" || !$0.1.isEmpty }
    }

    private func slice(
        _ name: String, _ picked: [Int], _ actual: [Double], _ hours: [Double],
        _ ranges: [(level: Int, ranges: [(low: Double, high: Double)])]?, _ probabilities: [Double]?
    ) -> SliceReport {
        let truth = picked.map { actual[$0] }
        let planned = picked.filter { rows[$0].planned > 0 }
        return SliceReport(
            slice: name, hours: Statistics.hours(actual: truth, forecast: picked.map { hours[$0] }),
            intervals: (ranges ?? []).compactMap { level in
                Statistics.interval(level: level.level, actual: truth, ranges: picked.map { level.ranges[$0] })
            },
            success: probabilities.flatMap { all in
                Statistics.success(planned.map { rows[$0].success }, planned.map { all[$0] })
            })
    }
}
