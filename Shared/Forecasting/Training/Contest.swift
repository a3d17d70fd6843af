/// Holds what is usual against what else might be fitted, by the differences of their losses row by row.
///
/// Of hundreds of settings some do best on a few windows of time by chance, and models that serve have more rows than the
/// windows had. So what is usual stays unless another setting is better by more than chance (the rule of standard errors:
/// Breiman, Friedman, Olshen and Stone 1984).
struct Contest<Setting: Equatable> {
    let usual: Setting
    private var rivals: [(setting: Setting, differences: Differences)] = []

    /// By so many standard errors of its mean difference another setting must be better: many are tried, and the errors take rows
    /// as independent, which those of one window are not.
    private static var margin: Double { 3 }

    init(usual: Setting) { self.usual = usual }

    /// - Parameters:
    ///   - losses: of one setting, row by row.
    ///   - usually: those of the usual one, on the same rows.
    mutating func add(_ setting: Setting, losses: [Double], usually: [Double]) {
        guard setting != usual else { return }
        let place = rivals.firstIndex { $0.setting == setting } ?? rivals.count
        if place == rivals.count { rivals.append((setting, Differences())) }
        rivals[place].differences.add(losses, usually)
    }

    /// The setting to fit with.
    var winner: Setting {
        rivals.filter { $0.differences.upperBound(Self.margin) < 0 }
            .min { $0.differences.sum < $1.differences.sum }?.setting ?? usual
    }

    private struct Differences {
        private(set) var sum = 0.0
        private var squares = 0.0
        private var count = 0.0

        mutating func add(_ losses: [Double], _ usually: [Double]) {
            for (loss, usual) in zip(losses, usually) {
                sum += loss - usual
                squares += (loss - usual) * (loss - usual)
            }
            count += Double(min(losses.count, usually.count))
        }

        /// Of the sum, so many standard errors above it.
        func upperBound(_ errors: Double) -> Double {
            guard count > 1 else { return .infinity }
            let variance = max(0, squares - sum * sum / count) / (count - 1)
            return sum + errors * (variance * count).squareRoot()
        }
    }
}
