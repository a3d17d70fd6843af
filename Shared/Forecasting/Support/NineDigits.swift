import Foundation

extension Double {
    /// Rounded to nine significant digits: what logarithms and single precision leave behind them, as in 15.99999999996 hours for work
    /// that always takes 16, says nothing, and a range that ends there would not hold the 16.
    var nineDigits: Double {
        guard self > 0, isFinite else { return self }
        let digits = 9 - powerOfTenAbove
        // A power of ten up to the twenty-second is exact, and so is the quotient's rounding.
        guard (0...22).contains(digits) else { return self }
        let scale = Self.powersOfTen.base[digits]
        return (self * scale).rounded() / scale
    }

    private static let powersOfTen = FixedValues((0...22).map { pow(10, Double($0)) })

    /// log10, rounded up. So near a power of ten that the logarithm and a comparison differ, both lead to the same nine digits.
    private var powerOfTenAbove: Int {
        let power = Int(exponent) - Self.powersOfTwo.lowerBound
        guard Self.powersOfTwo.contains(Int(exponent)) else { return Int(log10(self).rounded(.up)) }
        let least = Self.leastAbove.base[power]
        return self <= least.value ? least.power : least.power + 1
    }

    /// Of most hours.
    private static let powersOfTwo = -12..<22

    /// The least power of ten that is not below each of these powers of two.
    private static let leastAbove = FixedValues(
        powersOfTwo.map { power in
            let least = Int(log10(exp2(Double(power))).rounded(.up))
            return (power: least, value: pow(10, Double(least)))
        })
}
