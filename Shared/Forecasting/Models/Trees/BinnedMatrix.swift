/// Features cut into at most 63 bins of like frequency, plus one for missing values, column by column.
struct BinnedMatrix: Sendable {
    static let maximumBins = 64

    /// Per column the upper bound of each bin but the last; bin 0 is "missing", bin b > 0 holds values ≤ bounds[b − 1].
    let bounds: [[Float]]
    /// Column-major.
    private(set) var bins: [UInt8]
    let rows: Int
    var columns: Int { bounds.count }

    init(_ matrix: FeatureMatrix) {
        let bounds = (0..<matrix.columns).map { Self.bounds(of: matrix, column: $0) }
        self.init(matrix, bounds: bounds)
    }

    init(_ matrix: FeatureMatrix, bounds: [[Float]]) {
        self.bounds = bounds
        rows = matrix.rows
        bins = [UInt8](repeating: 0, count: matrix.rows * matrix.columns)
        for column in 0..<matrix.columns {
            for row in 0..<rows {
                let value = matrix.values[row * matrix.columns + column]
                bins[column * rows + row] = value.isNaN ? 0 : UInt8(1 + bounds[column].lowerBound(of: value))
            }
        }
    }

    private static func bounds(of matrix: FeatureMatrix, column: Int) -> [Float] {
        var values: [Float] = []
        values.reserveCapacity(matrix.rows)
        for row in 0..<matrix.rows {
            let value = matrix.values[row * matrix.columns + column]
            if !value.isNaN { values.append(value) }
        }
        values.sort()
        guard let last = values.last else { return [] }
        var bounds: [Float] = []
        let bins = maximumBins - 1
        for cut in 1..<bins {
            let value = values[min(values.count - 1, cut * values.count / bins)]
            if value < last, value != bounds.last { bounds.append(value) }
        }
        return bounds
    }
}
