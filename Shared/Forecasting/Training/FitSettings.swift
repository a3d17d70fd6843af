import Foundation

/// How fine a tree may cut.
struct TreeShape: Equatable {
    var leaves: Int
    /// Rows that a leaf must hold.
    var leastRows: Double

    /// The usual shape first. Without the plan there is more noise to mistake for a pattern, so trees are kept coarser.
    static func likeliestFirst(withPlan: Bool) -> [TreeShape] {
        let (fine, coarse) = (TreeShape(leaves: 15, leastRows: 20), TreeShape(leaves: 7, leastRows: 60))
        return (withPlan ? [fine, coarse] : [coarse, fine]) + [
            TreeShape(leaves: 4, leastRows: 40), TreeShape(leaves: 31, leastRows: 40),
        ]
    }
}

/// A shape and a number of trees.
struct TreePlan: Equatable {
    var shape: TreeShape
    var count: Int
}

/// How models of this data set are fitted; what the windows decide is filled in by `Search`.
struct FitSettings {
    /// Of the linear models, in rows per row.
    var penaltyShare = 0.6
    /// Of the linear classifiers, in rows per row.
    var eventPenaltyShare = 0.2
    var meanTrees: TreePlan
    var medianTrees: TreePlan
    let maximumTrees: Int

    private static let mostUsualTrees = 150
    static let penaltyShares = [0.02, 0.06, 0.2, 0.6, 2, 6]
    static let eventPenaltyShares = [0.06, 0.2, 0.6, 2]
    static let eventTrees = TreePlan(shape: TreeShape(leaves: 7, leastRows: 20), count: 50)
    static let rangeTrees = TreePlan(shape: TreeShape(leaves: 7, leastRows: 40), count: 200)

    /// - Parameter rows: how many there are to fit to.
    init(withPlan: Bool, maximumTrees: Int, rows: Int) {
        // Few rows carry few trees.
        let count = min(Self.mostUsualTrees, 30 + rows / 25)
        meanTrees = TreePlan(shape: TreeShape.likeliestFirst(withPlan: withPlan)[0], count: min(count, maximumTrees))
        medianTrees = meanTrees
        self.maximumTrees = maximumTrees
    }

    func penalty(_ rows: Int) -> Double { max(3, penaltyShare * Double(rows)) }

    func trees(_ plan: TreePlan, rows: Int, seed: UInt64) -> BoostedTrees.Options {
        var options = BoostedTrees.Options()
        options.trees = max(1, min(plan.count, maximumTrees))
        options.seed = seed
        options.grower.leaves = plan.shape.leaves
        // A small tenant's trees may not isolate single rows.
        options.grower.minimumRows = max(5, min(plan.shape.leastRows, Double(rows) / 15))
        return options
    }
}

/// The rows of one fit with their targets.
struct FitData {
    typealias Picked = (rows: [LearningRow], matrix: FeatureMatrix, targets: [Double])

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

    func picking(_ indices: [Int]) -> Picked {
        let picked = indices.map { rows[$0] }
        return (picked, matrix.selecting(indices), picked.map(target))
    }
}
