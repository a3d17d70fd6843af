import Basics
import Foundation
import Testing

@testable import Forecasting

@Suite struct NineDigitsTests {
    @Test(
        "hours are rounded to nine digits, and to the number that is written so",
        arguments: [
            (15.99999999996378, 16), (7.999999999999998, 8), (15.19999999998, 15.2), (0.0333333333333, 0.0333333333),
            (123_456.78951, 123_456.79), (0, 0), (1e-9, 1e-9), (99_999.999_999_9, 100_000),
        ])
    func rounded(_ value: Double, _ expected: Double) { #expect(value.nineDigits == expected) }

    @Test("what has no nine digits stays as it is")
    func others() {
        for value in [-1.5, .infinity, 1e300, 5e-300] { #expect(value.nineDigits == value) }
        #expect(Double.nan.nineDigits.isNaN)
    }

    @Test("the nine digits are those after the decimal logarithm, about powers of ten and of two too")
    func byLogarithm() {
        func byLogarithm(_ value: Double) -> Double {
            let scale = pow(10, Double(9 - Int(log10(value).rounded(.up))))
            return (value * scale).rounded() / scale
        }
        var random = SeededGenerator(seed: 1)
        for _ in 0..<100_000 {
            let value = exp(23 * random.uniform() - 10)
            #expect(value.nineDigits == byLogarithm(value), "\(value)")
        }
        for base in [2.0, 10] {
            for power in -13...22 where pow(base, Double(power)) < 1e8 && pow(base, Double(power)) > 1e-8 {
                var (above, below) = (pow(base, Double(power)), pow(base, Double(power)))
                for _ in 0..<40 {
                    #expect(above.nineDigits == byLogarithm(above) && below.nineDigits == byLogarithm(below))
                    (above, below) = (above.nextUp, below.nextDown)
                }
            }
        }
    }
}
