import Testing

@testable import NeuralNetwork

/// Against figures made by NumPy in float64 without this code; `Figures/adam_figures.py` prints them.
@Suite("Independent figures")
struct IndependentFiguresTests {
    private let architecture = NetworkArchitecture(
        inputs: 2, layers: [.dense(units: 3, activation: .relu), .dense(units: 2, activation: .sigmoid)])
    private let start: [Float] = [
        0.5, -0.3, 0.8, 0.1, 0.9, -0.6, 0.05, -0.1, 0.2, 0.7, -0.4, -0.2, 0.6, 0.3, 0.5, 0.1, -0.05,
    ]
    private let rows = Samples(
        inputs: [0.2, 0.4, 1.0, -0.5, 0.6, 0.9, -0.3, 0.7], targets: [0, 1, 1, 0, 0.5, 0.25, 0.2, 0.8], count: 4)
    private let outputs = [
        0.557001118, 0.51349672, 0.698465216, 0.59868766, 0.585161842, 0.540411658, 0.494000288, 0.57981159,
    ]
    private let loss = 0.15284955
    private let gradient = [
        -0.0204136992, 0.00436721819, 0.0185802425, 0.0239956096, -0.00943875969, 0.000947673356, 0.00711290001,
        -0.0270381033, 0.0188995702, 0.000864095787, 0.0201412768, 0.0210020452, -0.00483471635, -0.0157929169,
        0.0456267583, 0.0420240278, 0.0101970155,
    ]
    private let afterOneStep = [
        0.509998451, -0.309992764, 0.790001702, 0.0900013177, 0.909996651, -0.609966742, 0.0400044439, -0.0900011694,
        0.190001673, 0.690036463, -0.40999843, -0.209998495, 0.609993464, 0.309997998, 0.490000693, 0.0900007524,
        -0.0599968998,
    ]
    private let afterThreeSteps = [
        0.530016189, -0.329987333, 0.770055496, 0.0700249021, 0.930011617, -0.629947278, 0.0202160146, -0.0699831997,
        0.170036247, 0.684230857, -0.430000366, -0.230007801, 0.630031737, 0.330023702, 0.470022917, 0.07003483,
        -0.079947832,
    ]

    private func trainer(_ level: KernelLevel) throws -> Trainer {
        let network = try Network(architecture: architecture, parameters: start)
        var trainer = try Trainer(network: network, options: TrainingOptions(learningRate: 0.01))
        trainer.level = level
        return trainer
    }

    @Test("a forward pass gives the figures worked out in NumPy", arguments: KernelLevel.available)
    func forwardPass(level: KernelLevel) throws {
        let network = try Network(architecture: architecture, parameters: start)
        let found = Predictor(network, level: level).predict(rows.inputs)
        expectClose(found, outputs, within: 1e-6)
    }

    @Test("a backward pass gives the loss and the gradient worked out in NumPy", arguments: KernelLevel.available)
    func backwardPass(level: KernelLevel) throws {
        var trainer = try trainer(level)
        let report = try trainer.runEpoch(rows)
        #expect(abs(report.loss - loss) < 1e-7)
        // After the first step Adam's first moment is a tenth of the gradient.
        expectClose(trainer.optimiser.firstMoment.map { $0 * 10 }, gradient, within: 1e-8)
        expectClose(trainer.optimiser.secondMoment.map { $0 * 1000 }, gradient.map { $0 * $0 }, within: 1e-9)
    }

    @Test("one and three Adam steps give the weights worked out in NumPy", arguments: KernelLevel.available)
    func adamSteps(level: KernelLevel) throws {
        var trainer = try trainer(level)
        _ = try trainer.runEpoch(rows)
        expectClose(trainer.network.parameters, afterOneStep, within: 2e-7)
        _ = try trainer.runEpoch(rows)
        _ = try trainer.runEpoch(rows)
        expectClose(trainer.network.parameters, afterThreeSteps, within: 1e-6)
    }

    @Test("Adam's first step is the learning rate against the sign of the gradient, by hand")
    func firstStepByHand() throws {
        // y = w·x, x = 1, w = 2, target 1: gradient 2, so m̂ / √v̂ = 1 and w becomes 2 − 0.1 (but for ε).
        let line = NetworkArchitecture(inputs: 1, layers: [.dense(units: 1, activation: .linear)])
        let network = try Network(architecture: line, parameters: [2, 0])
        var trainer = try Trainer(network: network, options: TrainingOptions(learningRate: 0.1))
        let report = try trainer.runEpoch(Samples(inputs: [1], targets: [1], count: 1))
        #expect(report.loss == 1)
        expectClose(trainer.network.parameters, [1.9, -0.1], within: 1e-6)
    }

    @Test("weight decay takes its share off weights and spares biases")
    func weightDecay() throws {
        // Known targets absent: no gradient at all, only the decay moves anything.
        let line = NetworkArchitecture(inputs: 1, layers: [.dense(units: 1, activation: .linear)])
        let network = try Network(architecture: line, parameters: [2, 3])
        var trainer = try Trainer(network: network, options: TrainingOptions(learningRate: 0.1, weightDecay: 0.5))
        _ = try trainer.runEpoch(Samples(inputs: [1], targets: [.nan], count: 1))
        expectClose(trainer.network.parameters, [1.9, 3], within: 1e-6)
    }
}
