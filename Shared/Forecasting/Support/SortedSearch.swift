extension UnsafeBufferPointer<Double> {
    /// Position of the first value not below `value`; the values must be sorted.
    func lowerBound(of value: Double) -> Int {
        // What comes new mostly comes last.
        if isEmpty || self[count - 1] < value { return count }
        return firstPosition(in: count) { self[$0] >= value }
    }
}

extension Array where Element: Comparable {
    /// Position of the first element not below `value`; the array must be sorted.
    func lowerBound(of value: Element) -> Int { firstPosition(in: count) { self[$0] >= value } }
}

/// The first of `count` positions where `condition` holds, given that it holds from there on; `count` if nowhere.
@inline(__always)
func firstPosition(in count: Int, where condition: (Int) -> Bool) -> Int {
    var (low, high) = (0, count)
    while low < high {
        let middle = (low + high) / 2
        if condition(middle) { high = middle } else { low = middle + 1 }
    }
    return low
}
