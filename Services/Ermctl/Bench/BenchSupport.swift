public import ArgumentParser
import Basics
import Foundation
public import NeuralNetwork

/// Wall-clock seconds that `body` took.
func secondsTaken(_ body: () throws -> Void) rethrows -> Double {
    try ContinuousClock().measure(body).inSeconds
}

/// Wall-clock seconds that `body` took, and the processor time of the whole process over all cores meanwhile.
func secondsAndProcessorTimeTaken(_ body: () throws -> Void) rethrows -> (seconds: Double, processor: Double) {
    func processorTime() -> Double { Double(clock()) / Double(CLOCKS_PER_SEC) }
    let before = processorTime()
    let seconds = try secondsTaken(body)
    return (seconds, processorTime() - before)
}

extension Process {
    /// Stops it and waits until it is gone. A program may have inherited blocked signals from a thread of this one, so that it hears no
    /// request to stop.
    func end() {
        guard isRunning else { return }
        terminate()
        for _ in 0..<40 where isRunning { usleep(50_000) }
        if isRunning { kill(processIdentifier, SIGKILL) }
        waitUntilExit()
    }
}

extension KernelLevel: ExpressibleByArgument {
    /// Refuses a level this processor does not have, rather than quietly measuring another.
    func requireAvailable() throws {
        guard self <= .best else {
            throw ValidationError("This processor has no \(rawValue); it has \(Self.best.rawValue) and below.")
        }
    }

    /// One core's peak in floating-point operations a second: the best of several runs of fused multiply-adds that touch no
    /// memory, at this level. A matrix product of any library stays below it, so a share of it is a strict share.
    func measuredPeak() -> Double {
        var best = 0.0
        // Runs shorter than a time slice: some of them go undisturbed even on a busy machine.
        for _ in 0..<200 {
            var operations = 0.0
            let seconds = secondsTaken { operations = runPeakKernel(iterations: 100_000) }
            best = max(best, operations / seconds)
        }
        return best
    }
}

/// Rows of a made-up task of the base network's shape: five uniform inputs, three targets in 0…1.
func syntheticRows(_ count: Int, seed: UInt64) -> Samples {
    var generator = SeededGenerator(seed: seed)
    var inputs: [Float] = []
    var targets: [Float] = []
    inputs.reserveCapacity(count * 5)
    targets.reserveCapacity(count * 3)
    for _ in 0..<count {
        let first = inputs.count
        for _ in 0..<5 { inputs.append(Float(generator.next() >> 40) * 0x1p-24) }
        let (a, b, c) = (inputs[first], inputs[first + 1], inputs[first + 2])
        targets.append(a * b)
        targets.append((a + c) / 2)
        targets.append(b > c ? 1 : 0)
    }
    return Samples(inputs: inputs, targets: targets, count: count)
}
