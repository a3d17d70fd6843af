/// Adam's running state (Kingma & Ba 2015), in the form of section 2's last paragraph that Keras and TensorFlow use:
///
///     m += (1 − β₁)(g − m);  v += (1 − β₂)(g² − v)
///     w −= rate · √(1 − β₂ᵗ) / (1 − β₁ᵗ) · m / (√v + ε)
///
/// so that ε stands beside the uncorrected root ("ε hat" in the paper), with Keras's default 1e-7.
struct Optimiser: Sendable, Equatable {
    /// m, in the order of ``Network/parameters``.
    var firstMoment: [Float]
    /// v, in the same order.
    var secondMoment: [Float]
    /// Steps done.
    var step: UInt64 = 0
    /// β₁ᵗ, multiplied up step by step: no `pow`, whose last bit differs between systems.
    var beta1Power = 1.0
    /// β₂ᵗ.
    var beta2Power = 1.0

    // Taken from the options before each epoch.
    var learningRate = 0.0
    var beta1 = 0.0
    var beta2 = 0.0
    var epsilon = 0.0
    var weightDecay = 0.0
    var dropoutKey: UInt64 = 0

    init(parameterCount: Int) {
        firstMoment = [Float](repeating: 0, count: parameterCount)
        secondMoment = firstMoment
    }

    mutating func apply(_ options: TrainingOptions, learningRate: Double) {
        self.learningRate = learningRate
        (beta1, beta2, epsilon) = (options.beta1, options.beta2, options.epsilon)
        weightDecay = options.weightDecay
    }
}
