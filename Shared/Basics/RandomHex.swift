import Synchronization

/// Random hexadecimal digits for ids that must not meet and that are no secrets: a question of the system's generator for each of them
/// would cost more than the rest of the id.
public enum RandomHex {
    /// How many numbers are drawn under one seed.
    private static let numbersPerSeed = 1 << 16

    private struct State {
        var generator = SeededGenerator(seed: 0)
        var numbersLeft = 0
    }

    private static let state = Mutex(State())

    /// `2 * 8 * words` lower-case digits, drawn under a seed of the system's.
    public static func digits(words: Int) -> String {
        let numbers = state.withLock { state in
            (0..<words).map { _ in next(&state) }
        }
        return String(unsafeUninitializedCapacity: 16 * words) { buffer in
            var position = 0
            for number in numbers {
                for shift in stride(from: 60, through: 0, by: -4) {
                    buffer[position] = Hex.digit(UInt8(truncatingIfNeeded: number >> UInt64(shift)))
                    position += 1
                }
            }
            return position
        }
    }

    private static func next(_ state: inout State) -> UInt64 {
        if state.numbersLeft == 0 {
            var system = SystemRandomNumberGenerator()
            state = State(generator: SeededGenerator(seed: system.next()), numbersLeft: numbersPerSeed)
        }
        state.numbersLeft -= 1
        return state.generator.next()
    }
}
