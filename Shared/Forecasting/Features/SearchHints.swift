/// Moments in ascending order, with the first and the last at hand; never empty.
struct SortedMoments {
    let times: UnsafePointer<Double>
    let count: Int
    let first: Double
    let last: Double

    /// Whether the ends alone do not say how many of them are before `moment`.
    @inline(__always)
    func mustBeSearched(for moment: Double) -> Bool { first < moment && moment <= last }
}

/// Where searches have ended lately. Decisions in order of time ask for nearly the same place again.
///
/// A cache of fixed size, for one thread; two keys may take turns in a cell.
struct SearchHints: ~Copyable {
    private struct Cell {
        var key: Int32
        var position: Int32
    }

    private let cells: UnsafeMutablePointer<Cell>
    private let mask: Int
    /// Shorter ones are found at once, and leave the cells to the others.
    private static let leastCount = 65

    /// - Parameter size: a power of two.
    init(size: Int) {
        cells = .allocate(capacity: size)
        cells.initialize(repeating: Cell(key: .min, position: 0), count: size)
        mask = size - 1
    }

    deinit { cells.deallocate() }

    /// Where the first moment not before `moment` may be: where it was the last time, else in proportion to the time.
    @inline(__always)
    func guess(_ key: Int32, _ moments: SortedMoments, _ moment: Double) -> Int {
        if moments.count >= Self.leastCount {
            let cell = cells[Int(key) & mask]
            if cell.key == key, cell.position < moments.count { return Int(cell.position) }
        }
        let share = (moment - moments.first) / (moments.last - moments.first)
        return share > 0 ? min(Int(min(share, 1) * Double(moments.count)), moments.count - 1) : 0
    }

    /// How many of the moments are before `moment`.
    @inline(__always)
    func search(_ key: Int32, _ moments: SortedMoments, before moment: Double) -> Int {
        guard moments.mustBeSearched(for: moment) else { return moment <= moments.first ? 0 : moments.count }
        let count = search(moments, moment, from: guess(key, moments, moment))
        if moments.count >= Self.leastCount { cells[Int(key) & mask] = Cell(key: key, position: Int32(count)) }
        return count
    }

    /// In steps that double, away from `start`; then halving what is left.
    private func search(_ moments: SortedMoments, _ moment: Double, from start: Int) -> Int {
        let times = moments.times
        var (low, high) = (0, moments.count)
        var step = 1
        if times[start] < moment {
            low = start + 1
            while low + step < high {
                if times[low + step] >= moment {
                    high = low + step
                } else {
                    low += step + 1
                    step *= 2
                }
            }
        } else {
            high = start
            while high - step > low {
                if times[high - step] < moment {
                    low = high - step + 1
                } else {
                    high -= step
                    step *= 2
                }
            }
        }
        while low < high {
            let middle = (low + high) / 2
            if times[middle] < moment { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
