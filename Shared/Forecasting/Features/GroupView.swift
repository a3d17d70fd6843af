import Foundation

/// What one group's finished allocations say as of a moment. Good only while the history it reads is alive and unchanged.
struct GroupView {
    /// How many count as of the moment.
    let count: Int
    private let rows: GroupSeries.Rows?

    static var empty: GroupView { GroupView(count: 0, rows: nil) }

    private init(count: Int, rows: GroupSeries.Rows?) {
        self.count = count
        self.rows = rows
    }

    init(_ rows: GroupSeries.Rows, at moment: Double) {
        self.init(rows, count: rows.times.lowerBound(of: moment))
    }

    /// - Parameter count: how many of the rows count.
    init(_ rows: GroupSeries.Rows, count: Int) {
        self.init(count: count, rows: count > 0 ? rows : nil)
    }

    /// Sums over all.
    var sums: OutcomeLanes { rows.map { $0.sums[count] } ?? .zero }

    /// Sums over the latest `size`.
    @inline(__always)
    func latest(_ size: Int) -> OutcomeLanes {
        guard let rows else { return .zero }
        return size >= count ? rows.sums[count] : rows.sums[count] - rows.sums[count - size]
    }

    /// Seconds since the latest completion; nil without one.
    func age(at moment: Double) -> Double? { rows.map { moment - $0.times[count - 1] } }

    /// The median of a quantity over the latest at most `size` rows that have it.
    /// - Parameter value: of a slot; `nan` where it has none.
    @inline(__always)
    func median(latest size: Int, of value: (Int32) -> Double) -> (median: Double, count: Int)? {
        guard let rows else { return nil }
        return withUnsafeTemporaryAllocation(of: Double.self, capacity: size) { values in
            var found = 0
            var position = count
            while position > 0, found < size {
                position -= 1
                let one = value(rows.slots[position])
                if one.isNaN { continue }
                values[found] = one
                found += 1
            }
            guard found > 0 else { return nil }
            return (medianInPlace(UnsafeMutableBufferPointer(rebasing: values[..<found])), found)
        }
    }
}

/// The median; the mean of the middle two when there are an even number.
func medianInPlace(_ values: inout [Double]) -> Double { values.withUnsafeMutableBufferPointer { medianInPlace($0) } }

/// As above; leaves the values in another order.
func medianInPlace(_ values: UnsafeMutableBufferPointer<Double>) -> Double {
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

/// Partial pooling: with few rows the prior speaks, with many the rows themselves.
@inline(__always)
func shrunk(_ sum: Double, _ count: Double, toward prior: Double, strength: Double) -> Double {
    (sum + strength * prior) / (count + strength)
}
