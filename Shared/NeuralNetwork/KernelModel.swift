internal import CKernels

/// Owns the C side's packed weights and scratch memory. The library's only file that holds C pointers.
final class KernelModel {
    private let model: OpaquePointer

    /// Traps when there is no memory, as Swift's own allocations do.
    init(_ architecture: NetworkArchitecture, rows: Int, training: Bool) {
        let layers = architecture.denseLayers.map { layer in
            let drop = UInt32((layer.dropoutRate * 65_536).rounded())
            return erm_dense(
                inputs: Int32(layer.inputs), units: Int32(layer.units), activation: layer.activation.code, drop: drop,
                keep_scale: Float(65_536 / (65_536 - Double(drop))))
        }
        guard let model = erm_model_create(layers, Int32(layers.count), Int32(rows), training ? 1 : 0) else {
            fatalError("no memory for the network's buffers")
        }
        self.model = model
    }

    deinit { erm_model_destroy(model) }

    func load(_ parameters: [Float]) { erm_model_load(model, parameters) }

    func store(_ parameters: inout [Float]) { erm_model_store(model, &parameters) }

    func loadMoments(first: [Float], second: [Float]) { erm_model_load_moments(model, first, second) }

    func storeMoments(first: inout [Float], second: inout [Float]) { erm_model_store_moments(model, &first, &second) }

    func setLosses(_ losses: [Loss]?, judgedOutput: Int?) {
        let judged = Int32(judgedOutput ?? -1)
        let stored = losses.map { erm_model_set_losses(model, $0.map(\.kernelLoss), judged) }
        if (stored ?? erm_model_set_losses(model, nil, judged)) == 0 { fatalError("no memory for the losses") }
    }

    func predict(
        _ rows: UnsafePointer<Float>, rows count: Int, into result: UnsafeMutablePointer<Float>, level: KernelLevel
    ) {
        erm_predict(model, level.code, rows, count, result)
    }

    /// Steps over `order[range]`, adding to `totals`.
    func train(
        _ samples: Samples, order: [UInt32], range: Range<Int>, batchSize: Int, optimiser: inout Optimiser,
        totals: inout Totals, level: KernelLevel
    ) {
        withSamples(samples) { view in
            var adam = optimiser.kernelState
            var sums = totals.kernelTotals
            erm_train(
                model, level.code, &view, order, range.lowerBound, range.upperBound, Int32(batchSize), &adam, &sums)
            optimiser.kernelState = adam
            totals.kernelTotals = sums
        }
    }

    /// Adds the losses of the rows in `range` to `totals` without learning.
    func evaluate(_ samples: Samples, range: Range<Int>, totals: inout Totals, level: KernelLevel) {
        withSamples(samples) { view in
            var sums = totals.kernelTotals
            erm_evaluate(model, level.code, &view, range.lowerBound, range.upperBound, &sums)
            totals.kernelTotals = sums
        }
    }

    private func withSamples(_ samples: Samples, _ body: (inout erm_samples) -> Void) {
        samples.inputs.withUnsafeBufferPointer { inputs in
            samples.targets.withUnsafeBufferPointer { targets in
                var view = erm_samples(
                    inputs: inputs.baseAddress, targets: targets.baseAddress, weights: nil, rows: samples.count)
                guard let weights = samples.weights else { return body(&view) }
                weights.withUnsafeBufferPointer {
                    view.weights = $0.baseAddress
                    body(&view)
                }
            }
        }
    }
}

extension NetworkArchitecture.Activation {
    fileprivate var code: Int32 {
        switch self {
        case .linear: Int32(ERM_LINEAR)
        case .relu: Int32(ERM_RELU)
        case .sigmoid: Int32(ERM_SIGMOID)
        }
    }
}

extension Loss {
    fileprivate var kernelLoss: erm_loss {
        switch self {
        case .squared: erm_loss(code: Int32(ERM_SQUARED), level: 0)
        case .pinball(let level): erm_loss(code: Int32(ERM_PINBALL), level: Float(level))
        case .crossEntropy: erm_loss(code: Int32(ERM_CROSS_ENTROPY), level: 0)
        }
    }
}

extension Optimiser {
    fileprivate var kernelState: erm_adam {
        get {
            erm_adam(
                learning_rate: learningRate, beta1: beta1, beta2: beta2, epsilon: epsilon, weight_decay: weightDecay,
                beta1_power: beta1Power, beta2_power: beta2Power, step: step, dropout_key: dropoutKey)
        }
        set {
            (beta1Power, beta2Power, step) = (newValue.beta1_power, newValue.beta2_power, newValue.step)
        }
    }
}

extension Totals {
    fileprivate var kernelTotals: erm_totals {
        get { erm_totals(loss: loss, cells: cells, matches: matches, judged: judged) }
        set {
            (loss, cells, matches, judged) = (newValue.loss, newValue.cells, newValue.matches, newValue.judged)
        }
    }
}
