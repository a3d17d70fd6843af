import Foundation

/// Collects what candidates say of rows they were not fitted to, from one model or from several one after the other.
struct Judge {
    /// What one candidate said of all rows so far.
    struct Answers {
        var name: String
        var title: String
        var isBaseline: Bool
        var hours: [Double] = []
        /// Per level in percent; levels that some model could not give are dropped.
        var ranges: [Int: [(low: Double, high: Double)]] = [:]
        /// Of success; nil where nothing was said.
        var probabilities: [Double?] = []
        /// Chances that the actual hours lie within 25 % of the estimate, of what is answered; none for candidates that do not answer.
        var confidences: [Double] = []
    }

    /// A person or project with fewer finished tasks than this is new.
    static let newBelow = 5

    private(set) var rows: [LearningRow] = []
    private(set) var answers: [Answers] = []
    /// Of the rows, with a mean of 1; empty when all count alike.
    var weights: [Double] = []
    private var isNewPerson: [Bool] = []
    private var isNewProject: [Bool] = []
    private let withPlan: Bool

    init(withPlan: Bool) { self.withPlan = withPlan }

    /// - Parameters:
    ///   - heads: of the model's candidates.
    ///   - serving: also keep what the model's winner says, as the candidate `served`.
    ///   - recalibrations: of what is served, one for each row; none where it is served as it was fitted.
    mutating func add(
        _ model: VariantModel, heads: [CandidateHeads], rows added: [LearningRow], matrix: FeatureMatrix,
        serving: Bool = false, recalibrations: [Recalibration] = []
    ) {
        rows += added
        let threshold = log1p(Double(Self.newBelow)) - 1e-6
        for row in added.indices {
            isNewPerson.append(Double(matrix.values[row * matrix.columns + model.columns.personCount]) < threshold)
            isNewProject.append(Double(matrix.values[row * matrix.columns + model.columns.projectCount]) < threshold)
        }
        let members = model.members.predict(matrix, columns: model.columns)
        let unchanged = model.answers(matrix)
        let served = recalibrations.enumerated().reduce(into: unchanged) { served, row in
            guard row.element != .none else { return }
            served[row.offset] =
                model.recalibrated(row.element).answers(
                    matrix.selecting([row.offset]), to: [added[row.offset].decision])[0]
        }
        var asked = Array(model.candidates.indices)
        if serving { asked.insert(model.winner, at: 0) }
        for (position, index) in asked.enumerated() {
            let candidate = model.candidates[index]
            let isServed = serving && position == 0
            let name = isServed ? "served" : candidate.name
            let place = answers.firstIndex { $0.name == name } ?? answers.count
            if place == answers.count {
                let title = isServed ? "what is answered: the winner of the latest fit" : candidate.title
                answers.append(Answers(name: name, title: title, isBaseline: !isServed && candidate.isBaseline))
            }
            if index == model.winner {
                append(isServed ? served : unchanged, of: model, added, to: place)
            } else {
                append(candidate.estimates(members), of: model, heads[index], added, matrix, to: place)
            }
        }
    }

    /// What is answered: all parts as those of one distribution.
    private mutating func append(
        _ said: [VariantModel.Answer], of model: VariantModel, _ added: [LearningRow], to place: Int
    ) {
        answers[place].probabilities += said.map(\.success)
        answers[place].confidences += said.map(\.distribution.near)
        for (row, answer) in zip(added, said) {
            answers[place].hours.append(model.hours(answer.distribution.median, planned: row.planned))
            for range in answer.distribution.ranges {
                answers[place].ranges[range.level, default: []].append(
                    (model.hours(range.low, planned: row.planned), model.hours(range.high, planned: row.planned)))
            }
        }
    }

    private mutating func append(
        _ estimates: [Double], of model: VariantModel, _ heads: CandidateHeads, _ added: [LearningRow],
        _ matrix: FeatureMatrix, to place: Int
    ) {
        answers[place].probabilities += heads.probabilities(matrix) ?? added.map { _ in nil }
        for (row, estimate) in estimates.enumerated() {
            let planned = added[row].planned
            answers[place].hours.append(model.hours(estimate, planned: planned))
            matrix.values.withUnsafeBufferPointer { values in
                guard let base = values.baseAddress.map({ $0 + row * matrix.columns }) else { return }
                for range in heads.intervals.ranges(base, around: estimate) {
                    answers[place].ranges[range.level, default: []].append(
                        (model.hours(range.low, planned: planned), model.hours(range.high, planned: planned)))
                }
            }
        }
    }

    func reports(scores: [Double] = [], seed: UInt64) -> [CandidateReport] {
        let actual = rows.map(\.hours)
        let baselines = answers.indices.filter { answers[$0].isBaseline }
        func weight(_ row: Int) -> Double { weights.isEmpty ? 1 : weights[row] }
        let means = answers.map { answer in
            actual.indices.reduce(0) { $0 + weight($1) * abs(actual[$1] - answer.hours[$1]) }
                / Double(max(1, actual.count))
        }
        let best = baselines.min { scores.isEmpty ? means[$0] < means[$1] : scores[$0] < scores[$1] }
        let slices = self.slices
        // Candidates of one kind say the same of success.
        var successes: [[Double?]: [SuccessReport]] = [:]
        for answer in answers where successes[answer.probabilities] == nil {
            successes[answer.probabilities] = slices.map { success(of: $0.rows, answer.probabilities, seed) }
        }
        return answers.enumerated().map { index, answer in
            CandidateReport(
                name: answer.name, title: answer.title, withPlan: withPlan, isBaseline: answer.isBaseline,
                slices: zip(slices, successes[answer.probabilities] ?? []).map { slice, success in
                    self.slice(slice.name, slice.rows, answer, success, seed)
                },
                versusBaseline: best.flatMap { best in
                    index == best
                        ? nil
                        : Bootstrap.paired(
                            actual.indices.map {
                                weight($0)
                                    * (abs(answer.hours[$0] - actual[$0]) - abs(answers[best].hours[$0] - actual[$0]))
                            },
                            seed: seed)
                },
                score: scores.indices.contains(index) ? scores[index] : 0)
        }
    }

    private var slices: [(name: String, rows: [Int])] {
        [
            ("all", Array(rows.indices)),
            ("new person", rows.indices.filter { isNewPerson[$0] }),
            ("new project", rows.indices.filter { isNewProject[$0] }),
        ].filter { $0.0 == "all" || !$0.1.isEmpty }
    }

    private struct SuccessReport {
        var metrics: SuccessMetrics?
        var bootstrap: [BootstrapInterval] = []
    }

    /// Of the rows of which something was said.
    private func success(of picked: [Int], _ probabilities: [Double?], _ seed: UInt64) -> SuccessReport {
        let planned = picked.filter { rows[$0].success != nil && probabilities[$0] != nil }
        let outcomes = planned.map { rows[$0].success == true }
        let said = planned.compactMap { probabilities[$0] }
        let weights = weights(of: planned)
        return SuccessReport(
            metrics: Statistics.success(outcomes, said, weights: weights),
            bootstrap: Bootstrap.intervals(count: planned.count, seed: seed) { drawn in
                let metrics = Statistics.success(
                    drawn.map { outcomes[$0] }, drawn.map { said[$0] },
                    weights: weights.isEmpty ? [] : drawn.map { weights[$0] })
                return [
                    ("brier", metrics?.brier), ("log_loss", metrics?.logLoss), ("auc", metrics?.auc),
                    ("ece", metrics?.calibrationError), ("accuracy", metrics?.accuracy),
                    ("precision", metrics?.precision), ("recall", metrics?.recall), ("f1", metrics?.f1),
                ]
            })
    }

    private func weights(of picked: [Int]) -> [Double] { weights.isEmpty ? [] : picked.map { weights[$0] } }

    private func slice(
        _ name: String, _ picked: [Int], _ answer: Answers, _ success: SuccessReport, _ seed: UInt64
    ) -> SliceReport {
        let truth = picked.map { rows[$0].hours }
        let said = picked.map { answer.hours[$0] }
        let weights = weights(of: picked)
        let ranges = answer.ranges.filter { $0.value.count == rows.count }.sorted { $0.key < $1.key }.map {
            (level: $0.key, rows: $0.value)
        }
        let intervals = ranges.compactMap { level, ranges in
            Statistics.interval(level: level, actual: truth, ranges: picked.map { ranges[$0] }, weights: weights)
        }
        let confidence =
            answer.confidences.count == rows.count
            ? Statistics.confidence(
                actual: truth, estimates: said, said: picked.map { answer.confidences[$0] }, weights: weights) : nil
        // Figures of ranges are means over rows, so that a row's own figures, found once, are all that is drawn from.
        let ofRows = ranges.map { level, ranges in
            picked.compactMap { row in
                Statistics.interval(level: level, actual: [rows[row].hours], ranges: [ranges[row]])
            }
        }
        return SliceReport(
            slice: name, hours: Statistics.hours(actual: truth, forecast: said, weights: weights), intervals: intervals,
            success: success.metrics,
            confidence: confidence,
            bootstrap: Bootstrap.intervals(count: picked.count, seed: seed) { drawn in
                let drawnWeights = weights.isEmpty ? [] : drawn.map { weights[$0] }
                let hours = Statistics.hours(
                    actual: drawn.map { truth[$0] }, forecast: drawn.map { said[$0] }, weights: drawnWeights)
                func mean(_ figures: [IntervalMetrics], _ figure: (IntervalMetrics) -> Double) -> Double {
                    let total = drawnWeights.isEmpty ? Double(drawn.count) : drawnWeights.reduce(0, +)
                    return drawn.reduce(0) { $0 + (weights.isEmpty ? 1 : weights[$1]) * figure(figures[$1]) } / total
                }
                let ofHours: [(name: String, value: Double?)] = [
                    ("mae", hours?.mae), ("median_ae", hours?.medianAbsoluteError), ("pred25", hours?.pred25),
                    ("log_rmse", hours?.logRMSE), ("sa", hours?.standardisedAccuracy),
                ]
                return ofHours
                    + zip(ranges, ofRows).flatMap { range, figures -> [(name: String, value: Double?)] in
                        [
                            ("coverage\(range.level)", mean(figures, \.coverage)),
                            ("width\(range.level)", mean(figures, \.meanWidth)),
                            ("winkler\(range.level)", mean(figures, \.winkler)),
                            ("pinball\(range.level)", mean(figures, \.pinball)),
                        ]
                    }
            } + success.bootstrap)
    }
}
