import Basics

extension SeededGenerator {
    /// What the numbers are for. A stream is found by hashing the seed with that, so drawing more from one never moves
    /// another.
    enum Stream: UInt64 {
        case weights = 1
        case order = 2
        case dropout = 3
    }

    init(seed: UInt64, stream: Stream, _ index: UInt64) {
        self.init(seed: Self.mixed(Self.mixed(seed) ^ Self.mixed(stream.rawValue << 56 | index)))
    }

    /// Standard normal cut off at ±2, by rejection. Uses only exactly rounded operations, no libm, so that every platform
    /// draws the same number.
    mutating func nextTruncatedNormal() -> Double {
        while true {
            let x = 4 * uniform() - 2
            if uniform() < Self.exponential(ofMinus: x * x / 2) { return x }
        }
    }

    /// e^−t for t in 0…2: the Taylor series at t/8, raised to the eighth power; exact to 1e-14.
    private static func exponential(ofMinus t: Double) -> Double {
        let y = -t / 8
        var sum = 1.0
        for n in stride(from: 12.0, to: 0, by: -1) { sum = 1 + sum * y / n }
        let squared = sum * sum
        let fourth = squared * squared
        return fourth * fourth
    }

    /// 0..<count in random order (Fisher & Yates; a bounded draw by the high word, whose bias is below count / 2³²).
    mutating func permutation(of count: Int) -> [UInt32] {
        var order = [UInt32](unsafeUninitializedCapacity: count) { buffer, initialised in
            for i in 0..<count { buffer[i] = UInt32(truncatingIfNeeded: i) }
            initialised = count
        }
        order.withUnsafeMutableBufferPointer { order in
            var i = count - 1
            while i > 0 {
                let j = Int(((next() >> 32) &* UInt64(i + 1)) >> 32)
                order.swapAt(i, j)
                i -= 1
            }
        }
        return order
    }
}
