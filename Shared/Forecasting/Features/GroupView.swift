import Foundation

/// What one group's finished allocations say as of a moment.
struct GroupView {
    /// How many count as of the moment.
    let count: Int
    private let total: OutcomeLanes
    private let series: GroupSeries?

    static let empty = GroupView(series: nil, at: 0)

    init(series: GroupSeries?, at moment: Double) {
        let count = series?.count(before: moment) ?? 0
        self.count = count
        self.series = series
        self.total = series?.sums[count] ?? .zero
    }

    /// Sums over all.
    var sums: OutcomeLanes { total }

    /// Sums over the latest `size`.
    func latest(_ size: Int) -> OutcomeLanes {
        guard let series, count > 0 else { return .zero }
        return size >= count ? total : total - series.sums[count - size]
    }

    /// Seconds since the latest completion; nil without one.
    func age(at moment: Double) -> Double? {
        guard let series, count > 0 else { return nil }
        return moment - series.times[count - 1]
    }

    /// The median of a quantity over the latest at most `size` rows that have it.
    func median(latest size: Int, of value: (Int32) -> Double?) -> (median: Double, count: Int)? {
        guard let series, count > 0 else { return nil }
        var values: [Double] = []
        values.reserveCapacity(size)
        var position = count
        while position > 0, values.count < size {
            position -= 1
            if let one = value(series.slots[position]) { values.append(one) }
        }
        guard !values.isEmpty else { return nil }
        return (medianInPlace(&values), values.count)
    }
}

/// The median; the mean of the middle two when there are an even number.
func medianInPlace(_ values: inout [Double]) -> Double {
    precondition(!values.isEmpty, "a median needs a value")
    values.sort()
    let middle = values.count / 2
    return values.count % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2
}

/// Partial pooling: with few rows the prior speaks, with many the rows themselves.
@inline(__always)
func shrunk(_ sum: Double, _ count: Double, toward prior: Double, strength: Double) -> Double {
    (sum + strength * prior) / (count + strength)
}
