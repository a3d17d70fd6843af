/// What is known of a cumulative distribution: bounds on how much of its mass lies between places.
///
/// Every statement of the kind "so much lies between here and there" bounds a difference of two values of the cumulative
/// distribution, and a system of such bounds has a solution exactly when no cycle of them is negative; the shortest path
/// between two places is the most that can lie between them (Cormen, Leiserson, Rivest and Stein, chapter "difference
/// constraints and shortest paths").
struct CumulativeBounds {
    /// A side of a place: its own mass counts for `through`, not for `before`.
    struct Side {
        fileprivate var node: Int
    }

    private struct Bound {
        var from: Int
        var to: Int
        var most: Double
    }

    private let places: [Double]
    private var bounds: [Bound] = []

    /// - Parameter places: in any order; equal ones are one place.
    init(places given: [Double]) {
        var places: [Double] = []
        places.reserveCapacity(given.count)
        for place in given.sorted() where places.last != place { places.append(place) }
        self.places = places
        bounds.reserveCapacity(2 * places.count + 16)
        // Mass is never negative, and there is 1 of it.
        for node in 0..<nodes - 1 { bounds.append(Bound(from: node + 1, to: node, most: 0)) }
        mass(from: start, to: end, least: 1, most: 1)
    }

    /// Nothing, then both sides of each place, then everything.
    private var nodes: Int { 2 * places.count + 2 }
    private var start: Side { Side(node: 0) }
    private var end: Side { Side(node: nodes - 1) }

    /// - Parameter place: one of those given at the beginning.
    func before(_ place: Double) -> Side { Side(node: 2 * places.lowerBound(of: place) + 1) }

    func through(_ place: Double) -> Side { Side(node: 2 * places.lowerBound(of: place) + 2) }

    /// States how much lies between two sides; without the first, from the beginning.
    mutating func mass(from: Side? = nil, to: Side, least: Double = 0, most: Double = 1) {
        let from = from ?? start
        bounds.append(Bound(from: from.node, to: to.node, most: most))
        bounds.append(Bound(from: to.node, to: from.node, most: -least))
    }

    /// What can lie between two sides by all that was stated; nil when the statements contradict each other.
    func possibleMass(from: Side, to: Side) -> ClosedRange<Double>? {
        guard let most = distance(from.node, to.node), let least = distance(to.node, from.node) else { return nil }
        let (low, high) = (max(0, -least), min(1, most))
        return low <= high ? low...high : low...low
    }

    /// The length of the shortest path (Bellman and Ford); nil when there is a negative cycle.
    private func distance(_ from: Int, _ to: Int) -> Double? {
        var lengths = [Double](repeating: .infinity, count: nodes)
        lengths[from] = 0
        for _ in 0..<nodes {
            var isSettled = true
            for bound in bounds where lengths[bound.from] + bound.most < lengths[bound.to] - Self.rounding {
                lengths[bound.to] = lengths[bound.from] + bound.most
                isSettled = false
            }
            if isSettled { return lengths[to] }
        }
        return nil
    }

    /// Sums of decimal fractions are off by less.
    private static let rounding = 1e-12
}
