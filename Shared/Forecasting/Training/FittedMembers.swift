import Foundation

/// The models of one fold, each fitted to the fold's earlier rows.
struct FittedMembers {
    /// How models of this data set are fitted; what the folds decide is filled in as they decide it.
    struct Settings {
        /// Of the linear models, in rows per row.
        var penaltyShare = 0.2
        var meanTrees = 100
        var medianTrees = 100
        var eventTrees = 50
        var maximumTrees: Int

        static let penaltyShares = [0.02, 0.06, 0.2, 0.6]

        func penalty(_ rows: Int) -> Double { max(3, penaltyShare * Double(rows)) }

        func trees(_ count: Int, rows: Int, leaves: Int = 15, leastRows: Double = 20, seed: UInt64)
            -> BoostedTrees.Options
        {
            var options = BoostedTrees.Options()
            options.trees = max(1, min(count, maximumTrees))
            options.seed = seed
            options.grower.leaves = leaves
            // A small tenant's trees may not isolate single rows.
            options.grower.minimumRows = max(5, min(leastRows, Double(rows) / 15))
            return options
        }
    }

    /// The rows of one fit with their targets.
    struct Data {
        let rows: [LearningRow]
        let matrix: FeatureMatrix
        let withPlan: Bool

        func target(_ row: LearningRow) -> Double {
            guard withPlan else { return row.logHours }
            // Squared losses would chase the few rows that took a hundred times their plan.
            return min(max(row.logRatio, -HoursScale.ratioLimit), HoursScale.ratioLimit)
        }

        /// With a plan, large tasks weigh more where hours are to be met: they make most of the mean absolute error.
        func medianWeights(_ rows: [LearningRow]) -> [Double] {
            withPlan ? rows.map { max($0.planned, 0.1).squareRoot() } : []
        }

        func picking(_ indices: [Int]) -> (rows: [LearningRow], matrix: FeatureMatrix, targets: [Double]) {
            let picked = indices.map { rows[$0] }
            return (picked, matrix.selecting(indices), picked.map(target))
        }
    }
}

/// Loss curves of the folds, by number of trees.
struct TreeCurve {
    private var sums: [Double] = []
    private var folds = 0

    /// A curve that stopped early goes on at its last value.
    mutating func add(_ curve: [Double]) {
        guard let last = curve.last else { return }
        if folds == 0 {
            sums = curve
        } else {
            let length = max(sums.count, curve.count)
            let tail = sums[sums.count - 1]
            sums = (0..<length).map { ($0 < sums.count ? sums[$0] : tail) + ($0 < curve.count ? curve[$0] : last) }
        }
        folds += 1
    }

    /// The number of trees with the least loss; nil without any curve.
    var best: Int? { sums.indices.min { sums[$0] < sums[$1] }.map { $0 + 1 } }
}
