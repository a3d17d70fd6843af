/// Solves A·x = b for a symmetric positive definite A by Cholesky's method.
enum SymmetricSolver {
    /// - Parameter matrix: row-major n × n, only the lower triangle is read; destroyed.
    /// - Returns: nil when the matrix is not positive definite.
    static func solve(_ matrix: inout [Double], _ right: [Double]) -> [Double]? {
        let n = right.count
        for column in 0..<n {
            var diagonal = matrix[column * n + column]
            for k in 0..<column { diagonal -= matrix[column * n + k] * matrix[column * n + k] }
            guard diagonal > 1e-12 else { return nil }
            diagonal.formSquareRoot()
            matrix[column * n + column] = diagonal
            for row in column + 1..<max(n, column + 1) {
                var sum = matrix[row * n + column]
                for k in 0..<column { sum -= matrix[row * n + k] * matrix[column * n + k] }
                matrix[row * n + column] = sum / diagonal
            }
        }
        var x = right
        for row in 0..<n {
            for k in 0..<row { x[row] -= matrix[row * n + k] * x[k] }
            x[row] /= matrix[row * n + row]
        }
        for row in stride(from: n - 1, through: 0, by: -1) {
            for k in row + 1..<max(n, row + 1) { x[row] -= matrix[k * n + row] * x[k] }
            x[row] /= matrix[row * n + row]
        }
        return x
    }
}
