/// Rows of features, row-major.
public struct FeatureMatrix: Sendable {
    /// Rows × columns; `nan` where a feature is unknown.
    public var values: [Float]
    public let columns: Int

    public init(values: [Float], columns: Int) {
        self.values = values
        self.columns = columns
    }

    public var rows: Int { columns == 0 ? 0 : values.count / columns }

    subscript(row: Int) -> ArraySlice<Float> { values[row * columns..<(row + 1) * columns] }

    func selecting(_ indices: [Int]) -> FeatureMatrix {
        var picked: [Float] = []
        picked.reserveCapacity(indices.count * columns)
        for index in indices { picked.append(contentsOf: self[index]) }
        return FeatureMatrix(values: picked, columns: columns)
    }
}
