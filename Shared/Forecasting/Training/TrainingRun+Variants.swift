internal import NeuralNetwork

/// A run makes two models of the same kind: for questions with the planned hours, and for those without.
extension TrainingRun {
    struct Variant {
        var withPlan: Bool
        var rows: [LearningRow]
        var split: TimeSplit
    }

    /// A variant with its features and its trained base network.
    struct Prepared {
        var variant: Variant
        var schema: FeatureSchema
        var data: FitData
        var network: Network
    }

    /// Whom to tell and to ask while computing.
    struct Reporting {
        var progress: (TrainingProgress) -> Void
        var isCancelled: () -> Bool
        var epochs: Int
        var variants: Int
    }

    var variants: [Variant] {
        (plannedSplit.map { [Variant(withPlan: true, rows: plannedRows, split: $0)] } ?? [])
            + [Variant(withPlan: false, rows: rows, split: split)]
    }

    /// Only one of the two models, for a back-test that asks only one kind of question: what would serve, whatever the gates make of the
    /// model that they judge first.
    func fitOnly(
        withPlan: Bool, isCancelled: @escaping () -> Bool = { false }
    ) throws -> VariantTrainer.Result {
        guard let variant = variants.first(where: { $0.withPlan == withPlan }) else {
            throw TrainingError(.tooLittleHistory, "Too few completed allocations have planned hours.")
        }
        let silent = Reporting(
            progress: { _ in }, isCancelled: isCancelled, epochs: configuration.epochs, variants: 1)
        let prepared = try prepare(variant, index: 0, reporting: silent, resuming: nil) { _ in }
        var result = try fit(prepared, index: 0, reporting: silent)
        if variants[0].withPlan != withPlan { result.model = judged(result, prepared.data, prepared).serving }
        return result
    }

    func prepare(
        _ variant: Variant, index: Int, reporting: Reporting, resuming: [UInt8]?, checkpoint: ([UInt8]) throws -> Void
    ) throws -> Prepared {
        let epochs = configuration.epochs
        let schema = FeatureSchema(
            withPlan: variant.withPlan, learningFrom: variant.split.fit.map { variant.rows[$0] },
            completions: completions)
        let matrix = history.features(of: variant.rows, schema: schema)
        var training = try BaseNetworkTraining(
            rows: variant.rows, percents: percents(of: variant.rows), matrix: matrix, split: variant.split,
            configuration: configuration, resuming: resuming)
        while training.completedEpochs < epochs {
            let report = try training.runEpoch(isCancelled: reporting.isCancelled)
            let done = Double(index) + Double(report.epoch) / Double(epochs)
            reporting.progress(
                TrainingProgress(
                    stage: index == 0 ? "base network" : "base network without plan",
                    epoch: index == 0 ? report.epoch : nil, epochs: epochs, loss: report.loss,
                    validationLoss: report.validationLoss, accuracy: report.accuracy,
                    validationAccuracy: report.validationAccuracy, learningRate: report.learningRate,
                    fraction: 0.5 * done / Double(reporting.variants)))
            try checkpoint(training.checkpoint())
        }
        let data = FitData(rows: variant.rows, matrix: matrix, withPlan: variant.withPlan)
        return Prepared(variant: variant, schema: schema, data: data, network: training.network)
    }

    /// Of the person's working day, as each decision states it, in either way; nil where it does not.
    func percents(of rows: [LearningRow]) -> [Double?] {
        rows.map { DecisionNumbers($0.decision, in: history, readsHoursPerDay: true).allocationPercent }
    }

    /// The same rows as questions without details see them; nil where there is nothing that they leave out.
    func fitWithoutDetails(
        _ prepared: Prepared, like full: VariantTrainer.Result, reporting: Reporting
    ) throws -> (result: VariantTrainer.Result, data: FitData)? {
        guard !prepared.schema.expects.isEmpty else { return nil }
        let schema = prepared.schema.withoutDetails
        let data = FitData(
            rows: prepared.variant.rows, matrix: history.features(of: prepared.variant.rows, schema: schema),
            withPlan: schema.withPlan)
        let trainer = VariantTrainer(
            data: data, split: prepared.variant.split, schema: schema, seed: configuration.seed,
            maximumTrees: configuration.maximumTrees ?? 400, searchSeconds: 0,
            refitsOnEverything: configuration.refitsOnEverything, isCancelled: reporting.isCancelled, step: { _ in })
        return (try trainer.run(network: nil, settings: full.settings), data)
    }

    func fit(_ prepared: Prepared, index: Int, reporting: Reporting) throws -> VariantTrainer.Result {
        var steps = 0.0
        let trainer = VariantTrainer(
            data: prepared.data, split: prepared.variant.split, schema: prepared.schema, seed: configuration.seed,
            maximumTrees: configuration.maximumTrees ?? 400, searchSeconds: configuration.searchSeconds ?? 20,
            refitsOnEverything: configuration.refitsOnEverything,
            isCancelled: reporting.isCancelled,
            step: { name in
                let share = min(0.95, steps / 9)
                reporting.progress(
                    TrainingProgress(
                        stage: name + (prepared.variant.withPlan ? "" : " without plan"), epochs: reporting.epochs,
                        fraction: 0.5 + 0.5 * (Double(index) + share) / Double(reporting.variants)))
                steps += 1
            })
        return try trainer.run(network: prepared.network)
    }
}
