import Basics
import Testing

@testable import NeuralNetwork

/// Every element within `tolerance`, absolute below 1 and relative above.
func expectClose(
    _ found: [Float], _ expected: [Double], within tolerance: Double, sourceLocation: SourceLocation = #_sourceLocation
) {
    #expect(found.count == expected.count, sourceLocation: sourceLocation)
    for (index, (f, e)) in zip(found, expected).enumerated() {
        #expect(
            abs(Double(f) - e) <= tolerance * max(1, abs(e)), "element \(index)", sourceLocation: sourceLocation)
    }
}

/// Rows of a made-up task for the base network: three smooth or stepped functions of five uniform numbers.
func makeRows(_ count: Int, seed: UInt64) -> Samples {
    var generator = SeededGenerator(seed: seed)
    var inputs: [Float] = []
    var targets: [Float] = []
    for _ in 0..<count {
        let x = (0..<5).map { _ in Float(generator.uniform()) }
        inputs += x
        targets += [x[0] * x[1], (x[0] + x[2]) / 2, x[1] > x[2] ? 1 : 0]
    }
    return Samples(inputs: inputs, targets: targets, count: count)
}

/// Uniform numbers in −1…1.
func noise(_ count: Int, seed: UInt64) -> [Float] {
    var generator = SeededGenerator(seed: seed)
    return (0..<count).map { _ in Float(2 * generator.uniform() - 1) }
}
