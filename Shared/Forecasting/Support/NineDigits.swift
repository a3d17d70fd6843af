import Foundation

extension Double {
    /// Rounded to nine significant digits: what logarithms and single precision leave behind them, as in 15.99999999996 hours for work
    /// that always takes 16, says nothing, and a range that ends there would not hold the 16.
    var nineDigits: Double {
        guard self > 0, isFinite else { return self }
        let digits = 9 - Int(log10(self).rounded(.up))
        // A power of ten up to the twenty-second is exact, and so is the quotient's rounding.
        guard (0...22).contains(digits) else { return self }
        let scale = Self.powersOfTen[digits]
        return (self * scale).rounded() / scale
    }

    private static let powersOfTen = (0...22).map { pow(10, Double($0)) }
}
