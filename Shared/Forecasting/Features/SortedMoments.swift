import CKernels

/// Moments in ascending order, with the first and the last at hand; never empty.
struct SortedMoments {
    /// The first moment, and how many bytes lie from each to the next.
    let times: UnsafeRawPointer
    var stride = MemoryLayout<Double>.stride
    let count: Int
    let first: Double
    let last: Double

    @inline(__always)
    private subscript(index: Int) -> Double { (times + index * stride).load(as: Double.self) }

    /// Whether the ends alone do not say how many of them are before `moment`.
    @inline(__always)
    func mustBeSearched(for moment: Double) -> Bool { first < moment && moment <= last }

    /// Asks for the memory in which a search from `start` begins.
    @inline(__always)
    func prefetch(_ start: Int) { erm_prefetch(times + min(start, count - 1) * stride) }

    /// Where the first moment not before `moment` would be if they came evenly.
    func guess(_ moment: Double) -> Int {
        let share = (moment - first) / (last - first)
        return share > 0 ? Int(min(share, 1) * Double(count - 1)) : 0
    }

    /// How many are before `moment`.
    /// - Parameter start: about how many; the nearer the quicker. Asked for only where the ends do not tell.
    @inline(__always)
    func count(before moment: Double, from start: @autoclosure () -> Int) -> Int {
        guard mustBeSearched(for: moment) else { return moment <= first ? 0 : count }
        return search(moment, from: min(start(), count - 1))
    }

    /// In steps that double, away from `start`; then halving what is left.
    private func search(_ moment: Double, from start: Int) -> Int {
        var (low, high) = (0, count)
        var step = 1
        if self[start] < moment {
            low = start + 1
            while low + step < high {
                if self[low + step] >= moment {
                    high = low + step
                } else {
                    low += step + 1
                    step *= 2
                }
            }
        } else {
            high = start
            while high - step > low {
                if self[high - step] < moment {
                    low = high - step + 1
                } else {
                    high -= step
                    step *= 2
                }
            }
        }
        while low < high {
            let middle = (low + high) / 2
            if self[middle] < moment { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
