import Dispatch

/// Weighted least squares with a ridge on all columns but the last (the intercept).
///
/// The sums over rows are taken in blocks of a fixed size, block by block in order, so that any number of cores gives the
/// same bits.
struct WeightedLeastSquares {
    /// Sums of products that a solution rests on; good for any penalty.
    struct Sums {
        fileprivate let columns: Int
        /// Lower triangle, row-major.
        fileprivate var gram: [Double]
        fileprivate var right: [Double]

        /// - Returns: nil when the penalised system is not positive definite.
        func solve(penalty: Double) -> [Double]? {
            var gram = gram
            for i in 0..<columns - 1 { gram[i * columns + i] += penalty }
            gram[columns * columns - 1] += 1e-9
            return SymmetricSolver.solve(&gram, right)
        }
    }

    private static let blockRows = 4_096
    /// Rows that fit a core's own cache.
    private static let tileRows = 64

    let columns: Int
    let rowCount: Int
    /// Row-major, columns padded with zeros to whole vectors; the place behind the columns is for the target.
    private let rows: [Double]
    private let stride: Int

    /// - Parameter fill: writes one row of `columns` values.
    init(rows count: Int, columns: Int, fill: (Int, UnsafeMutablePointer<Double>) -> Void) {
        self.columns = columns
        rowCount = count
        let stride = (columns + 1 + 3) / 4 * 4
        self.stride = stride
        rows = [Double](unsafeUninitializedCapacity: count * stride) { buffer, filled in
            buffer.initialize(repeating: 0)
            if let base = buffer.baseAddress { for row in 0..<count { fill(row, base + row * stride) } }
            filled = count * stride
        }
    }

    /// Intercept and weights, the intercept last, applied to one row.
    @inline(__always)
    func apply(_ weights: [Double], _ row: Int) -> Double {
        var sum = 0.0
        rows.withUnsafeBufferPointer { rows in
            for column in 0..<columns { sum += weights[column] * rows[row * stride + column] }
        }
        return sum
    }

    func sums(weights: [Double], targets: [Double]) -> Sums {
        let (stride, columns, rowCount) = (stride, columns, rowCount)
        let blocks = (rowCount + Self.blockRows - 1) / Self.blockRows
        var partial = [Double](repeating: 0, count: blocks * stride * stride)
        partial.withUnsafeMutableBufferPointer { partial in
            rows.withUnsafeBufferPointer { rows in
                guard let first = partial.baseAddress, let start = rows.baseAddress else { return }
                nonisolated(unsafe) let (target, source) = (first, start)
                DispatchQueue.concurrentPerform(iterations: blocks) { block in
                    let range = block * Self.blockRows..<min(rowCount, (block + 1) * Self.blockRows)
                    Self.add(range, source, stride, columns, weights, targets, to: target + block * stride * stride)
                }
            }
        }
        var sums = Sums(
            columns: columns, gram: [Double](repeating: 0, count: columns * columns),
            right: [Double](repeating: 0, count: columns))
        for block in 0..<blocks {
            let start = block * stride * stride
            for i in 0..<columns {
                for j in 0...i { sums.gram[i * columns + j] += partial[start + i * stride + j] }
                sums.right[i] += partial[start + columns * stride + i]
            }
        }
        return sums
    }

    /// Adds Σ w·x·xᵀ, lower triangle, with the target as one more column.
    private static func add(
        _ range: Range<Int>, _ source: UnsafePointer<Double>, _ stride: Int, _ columns: Int, _ weights: [Double],
        _ targets: [Double], to sums: UnsafeMutablePointer<Double>
    ) {
        withUnsafeTemporaryAllocation(of: Double.self, capacity: 2 * tileRows * stride) { scratch in
            guard let plain = scratch.baseAddress else { return }
            let weighted = plain + tileRows * stride
            for start in Swift.stride(from: range.lowerBound, to: range.upperBound, by: tileRows) {
                let count = min(tileRows, range.upperBound - start)
                for row in 0..<count {
                    let (own, weight) = (plain + row * stride, weights[start + row])
                    own.update(from: source + (start + row) * stride, count: stride)
                    own[columns] = targets[start + row]
                    for column in 0..<stride { weighted[row * stride + column] = weight * own[column] }
                }
                for i in Swift.stride(from: 0, to: stride, by: 4) {
                    for j in Swift.stride(from: 0, through: i, by: 4) {
                        var (a, b, c, d) = (
                            SIMD4<Double>.zero, SIMD4<Double>.zero, SIMD4<Double>.zero, SIMD4<Double>.zero
                        )
                        for row in 0..<count {
                            let right = UnsafeRawPointer(plain + row * stride + j).loadUnaligned(
                                as: SIMD4<Double>.self)
                            let left = weighted + row * stride + i
                            a += left[0] * right
                            b += left[1] * right
                            c += left[2] * right
                            d += left[3] * right
                        }
                        for (k, sum) in [a, b, c, d].enumerated() {
                            let place = UnsafeMutableRawPointer(sums + (i + k) * stride + j)
                            place.storeBytes(
                                of: place.loadUnaligned(as: SIMD4<Double>.self) + sum, as: SIMD4<Double>.self)
                        }
                    }
                }
            }
        }
    }
}
