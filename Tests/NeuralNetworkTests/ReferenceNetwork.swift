@testable import NeuralNetwork

/// The same mathematics once more, in Double, one number at a time, written from the formulas: what the kernels are judged by.
/// No dropout.
struct ReferenceNetwork {
    let layers: [NetworkArchitecture.Dense]
    var parameters: [Double]

    init(_ network: Network) {
        layers = network.architecture.denseLayers
        parameters = network.parameters.map(Double.init)
    }

    /// Where each layer's kernel begins.
    private var offsets: [Int] {
        layers.reduce(into: [0]) { $0.append($0.last! + ($1.inputs + 1) * $1.units) }
    }

    /// Outputs of every layer for one row, the row itself first.
    private func activations(_ row: [Double]) -> [[Double]] {
        var all = [row]
        for (layer, offset) in zip(layers, offsets) {
            var next: [Double] = []
            for unit in 0..<layer.units {
                var sum = parameters[offset + layer.inputs * layer.units + unit]
                for (k, x) in all.last!.enumerated() { sum += x * parameters[offset + k * layer.units + unit] }
                switch layer.activation {
                case .linear: next.append(sum)
                case .relu: next.append(max(0, sum))
                case .sigmoid: next.append(1 / (1 + exponential(-sum)))
                }
            }
            all.append(next)
        }
        return all
    }

    func predict(_ row: [Double]) -> [Double] { activations(row).last! }

    /// The mean loss over rows × outputs, unknown cells counted in the divisor.
    func loss(_ samples: Samples, losses: [Loss]? = nil) -> Double {
        var total = 0.0
        forEachRow(samples) { row, targets, weight in
            for (u, (y, t)) in zip(predict(row), targets).enumerated() where !t.isNaN {
                switch losses?[u] ?? .squared {
                case .squared: total += weight * (y - t) * (y - t)
                case .pinball(let level): total += weight * max(level * (t - y), (level - 1) * (t - y))
                case .crossEntropy: total -= weight * (t * logarithm(y) + (1 - t) * logarithm(1 - y))
                }
            }
        }
        return total / Double(samples.targets.count)
    }

    /// The gradient of the mean squared error by back-propagation.
    func gradient(_ samples: Samples) -> [Double] {
        var result = [Double](repeating: 0, count: parameters.count)
        forEachRow(samples) { row, targets, weight in
            let outputs = activations(row)
            var slope = zip(outputs.last!, targets).map { y, t in
                t.isNaN ? 0 : 2 * weight * (y - t) / Double(samples.targets.count)
            }
            for index in layers.indices.reversed() {
                let (layer, offset) = (layers[index], offsets[index])
                for unit in 0..<layer.units {
                    let y = outputs[index + 1][unit]
                    switch layer.activation {
                    case .linear: break
                    case .relu: slope[unit] *= y > 0 ? 1 : 0
                    case .sigmoid: slope[unit] *= y * (1 - y)
                    }
                    result[offset + layer.inputs * layer.units + unit] += slope[unit]
                }
                var below = [Double](repeating: 0, count: layer.inputs)
                for k in 0..<layer.inputs {
                    for unit in 0..<layer.units {
                        result[offset + k * layer.units + unit] += outputs[index][k] * slope[unit]
                        below[k] += parameters[offset + k * layer.units + unit] * slope[unit]
                    }
                }
                slope = below
            }
        }
        return result
    }

    /// The slope of ``loss(_:losses:)`` along one parameter by central differences.
    func numericalSlope(_ samples: Samples, losses: [Loss]? = nil, along index: Int, step: Double = 1e-5) -> Double {
        var copy = self
        copy.parameters[index] += step
        let above = copy.loss(samples, losses: losses)
        copy.parameters[index] -= 2 * step
        return (above - copy.loss(samples, losses: losses)) / (2 * step)
    }

    private func forEachRow(_ samples: Samples, _ body: ([Double], [Double], Double) -> Void) {
        let (inputs, outputs) = (layers[0].inputs, layers.last!.units)
        for row in 0..<samples.count {
            body(
                samples.inputs[row * inputs..<(row + 1) * inputs].map(Double.init),
                samples.targets[row * outputs..<(row + 1) * outputs].map(Double.init),
                Double(samples.weights?[row] ?? 1))
        }
    }
}
