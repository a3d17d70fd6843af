/// A whole in parts by largest remainder: the parts add up to the whole, and each is less than one away from its exact share.
public enum Apportionment {
    /// As many equal parts; where they cannot be equal, the first are one larger.
    public static func evenly(_ whole: Int, parts: Int) -> [Int] {
        guard parts > 0 else { return [] }
        let (share, rest) = whole.quotientAndRemainder(dividingBy: parts)
        return (0..<parts).map { $0 < rest ? share + 1 : share }
    }

    /// In proportion to the weights; of equal remainders the first ones get the minute more. Nothing when all weights are 0.
    public static func parts(of whole: Int, weights: [Int]) -> [Int] {
        let sum = weights.reduce(0, +)
        guard sum > 0 else { return weights.map { _ in 0 } }
        let shares = weights.map { (whole * $0).quotientAndRemainder(dividingBy: sum) }
        var parts = shares.map(\.quotient)
        let rest = whole - parts.reduce(0, +)
        // Stable: places break ties, since sorting alone promises no order.
        let order = shares.indices.sorted {
            (shares[$1].remainder, $0) < (shares[$0].remainder, $1)
        }
        for index in order.prefix(rest) { parts[index] += 1 }
        return parts
    }
}
