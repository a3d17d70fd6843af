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
}
