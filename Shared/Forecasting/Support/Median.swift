/// The median; the mean of the middle two when there are an even number. Leaves the values in another order.
func medianInPlace(_ values: inout [Double]) -> Double { values.withUnsafeMutableBufferPointer(median) }

private func median(_ values: inout UnsafeMutableBufferPointer<Double>) -> Double {
    precondition(!values.isEmpty, "a median needs a value")
    let middle = values.count / 2
    select(middle, in: values)
    if values.count % 2 == 1 { return values[middle] }
    // Everything below the middle place is no greater than it: the largest of those is the other one.
    var below = values[0]
    for position in 1..<middle { below = max(below, values[position]) }
    return (below + values[middle]) / 2
}

/// Puts at `place` what would stand there if the values were sorted, nothing greater before it, nothing less after it
/// (Hoare 1961).
private func select(_ place: Int, in values: UnsafeMutableBufferPointer<Double>) {
    var (low, high) = (0, values.count - 1)
    while low < high {
        // Of three, so that sorted values, the usual trap, are the best case.
        let (a, b, c) = (values[low], values[(low + high) / 2], values[high])
        let pivot = max(min(a, b), min(max(a, b), c))
        var (i, j) = (low, high)
        while i <= j {
            while values[i] < pivot { i += 1 }
            while pivot < values[j] { j -= 1 }
            if i <= j {
                values.swapAt(i, j)
                i += 1
                j -= 1
            }
        }
        if place <= j {
            high = j
        } else if place >= i {
            low = i
        } else {
            return
        }
    }
}
