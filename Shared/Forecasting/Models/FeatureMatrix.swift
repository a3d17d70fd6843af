/// Rows of features, row-major.
struct FeatureMatrix: Sendable {
    var values: [Float]
    let columns: Int

    var rows: Int { columns == 0 ? 0 : values.count / columns }

    subscript(row: Int) -> ArraySlice<Float> { values[row * columns..<(row + 1) * columns] }

    func selecting(_ indices: [Int]) -> FeatureMatrix {
        var picked: [Float] = []
        picked.reserveCapacity(indices.count * columns)
        for index in indices { picked.append(contentsOf: self[index]) }
        return FeatureMatrix(values: picked, columns: columns)
    }
}
