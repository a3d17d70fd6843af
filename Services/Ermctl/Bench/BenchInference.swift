import ArgumentParser
import NeuralNetwork

/// `ermctl bench inference`: how fast the base network predicts on one core of this machine.
struct BenchInferenceCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "inference",
        abstract: "Measure how fast the base network predicts on one core.",
        discussion: """
            Predicts the same batch again and again through one workspace. share_of_peak is rows_per_s × 5,856 operations \
            ÷ peak_flops, where peak_flops is what fused multiply-adds without any memory access reach in the same run, \
            at the same level.
            """)

    @Option(help: "Rows of one call.")
    var batch = 1_024

    @Option(help: "How long to measure.")
    var seconds = 1.0

    @Option(help: "Instruction set: baseline, avx2 or avx512; default: the best this processor has.")
    var level: KernelLevel = .best

    func validate() throws {
        guard (1...10_000_000).contains(batch) else { throw ValidationError("--batch must be in 1…10000000.") }
        guard seconds > 0, seconds <= 3_600 else { throw ValidationError("--seconds must be above 0, at most 3600.") }
        try level.requireAvailable()
    }

    func run() async throws {
        let predictor = Predictor(try Network(architecture: .base, seed: 1), level: level)
        let rows = syntheticRows(batch, seed: 1).inputs
        var outputs = [Float](repeating: 0, count: batch * predictor.outputs)
        let peakBefore = level.measuredPeak()

        // The clock is read only every few milliseconds, so that reading it costs nothing even for one row.
        let callsPerReading = max(1, 8_192 / batch)
        var calls = 0
        var taken = 0.0
        while taken < seconds {
            taken += secondsTaken {
                for _ in 0..<callsPerReading { predictor.predict(rows, into: &outputs) }
            }
            calls += callsPerReading
        }
        let peak = max(peakBefore, level.measuredPeak())

        let rate = Double(calls) * Double(batch) / taken
        let operations = Double(NetworkArchitecture.base.inferenceOperationsPerRow)
        print("level=\(level.rawValue)")
        print("batch=\(batch) calls=\(calls)")
        print("seconds=\(taken.fixed(3))")
        print("microseconds_per_call=\((taken / Double(calls) * 1e6).fixed(3))")
        print("peak_flops=\(peak.fixed(0))")
        print("rows_per_s=\(rate.fixed(0))")
        print("share_of_peak=\((rate * operations / peak).fixed(3))")
    }
}
