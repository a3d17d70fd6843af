import Foundation
internal import NeuralNetwork

/// What a candidate says beside its hours: the winner, and means over linear models and trees, what the model serves;
/// trees its ranges; all else what is their own, so that no kind of model is reported with another's merit.
struct CandidateHeads: Sendable {
    enum Success: Sendable {
        case classifier(EventClassifier)
        /// The base network's third output.
        case network(Network, EventCalibration)
    }

    var intervals: ConformalIntervals
    /// Nil where too few plans were seen to say.
    var success: Success?

    /// Chances of success, one per row.
    func probabilities(_ matrix: FeatureMatrix) -> [Double]? {
        switch success {
        case .classifier(let classifier)?: classifier.raw(matrix).map(classifier.calibration.probability)
        case .network(let network, let calibration)?: network.successLogOdds(matrix).map(calibration.probability)
        case nil: nil
        }
    }

    /// With classifiers fitted to more rows; the network is fitted once.
    func refitted(_ again: EventClassifier) -> CandidateHeads {
        guard case .classifier(let classifier)? = success else { return self }
        return CandidateHeads(intervals: intervals, success: .classifier(classifier.refitted(again)))
    }
}

extension VariantTrainer {
    /// - Parameter spoken: what members said of rows they had not seen, on which all heads are calibrated.
    func candidateHeads(of model: VariantModel, spoken: Spoken) -> [CandidateHeads] {
        model.candidates.enumerated().map { index, candidate in
            let kinds = candidate.kinds
            let serves = index == model.winner
            let hasRangesOfTrees = kinds.contains(.trees) && !model.intervals.areRelative
            return CandidateHeads(
                intervals: serves || hasRangesOfTrees ? model.intervals : plainRanges(candidate, spoken),
                success: model.success.map { whole in
                    serves || kinds.isSuperset(of: [.linear, .trees])
                        ? .classifier(whole) : part(kinds, of: whole, model.members, spoken.last)
                })
        }
    }

    /// What of `whole` is of these kinds, calibrated by itself: the base rate for medians, and for trees where there were
    /// too few rows to grow any.
    private func part(
        _ kinds: Set<MemberName.Kind>, of whole: EventClassifier, _ members: FittedMembers, _ judged: Outcomes
    ) -> CandidateHeads.Success {
        let planned = planned(judged)
        if kinds.contains(.network), case .network(let network)? = members.baseNetwork {
            var calibration = EventCalibration(baseRate: whole.baseRate, trust: 1)
            calibration.fit(
                raw: network.successLogOdds(data.matrix.selecting(planned.rows)), outcomes: successes(planned.rows),
                weights: planned.weights)
            return .network(network, calibration)
        }
        var part = EventClassifier(
            baseRate: whole.baseRate, linear: kinds.contains(.linear) ? whole.linear : nil,
            trees: kinds.contains(.trees) ? whole.trees : nil)
        calibrate(&part, planned)
        return .classifier(part)
    }
}

extension Network {
    fileprivate func successLogOdds(_ matrix: FeatureMatrix) -> [Double] {
        let outputs = outputs(matrix)
        return (0..<matrix.rows).map { row in
            let probability = min(max(1e-6, Double(outputs[BaseOutput.success.place(inRow: row)])), 1 - 1e-6)
            return log(probability / (1 - probability))
        }
    }
}
