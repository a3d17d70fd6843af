/// The median of the latest `size` values pushed, kept sorted: one push moves a few hundred bytes at most.
struct RecentMedian: ~Copyable {
    let size: Int
    private(set) var count = 0
    /// In order of arrival, the oldest at `next` once full; then the same values sorted.
    private let memory: UnsafeMutablePointer<Double>
    private var next = 0

    init(size: Int) {
        self.size = size
        memory = .allocate(capacity: 2 * size)
    }

    deinit { memory.deallocate() }

    mutating func push(_ value: Double) {
        let sorted = memory + size
        let place = UnsafeBufferPointer(start: sorted, count: count).lowerBound(of: value)
        if count < size {
            for index in stride(from: count, to: place, by: -1) { sorted[index] = sorted[index - 1] }
            sorted[place] = value
            count += 1
        } else {
            // Of what leaves and what comes, only what lies between moves.
            let gone = UnsafeBufferPointer(start: sorted, count: count).lowerBound(of: memory[next])
            if gone < place {
                for index in gone..<place - 1 { sorted[index] = sorted[index + 1] }
                sorted[place - 1] = value
            } else {
                for index in stride(from: gone, to: place, by: -1) { sorted[index] = sorted[index - 1] }
                sorted[place] = value
            }
        }
        memory[next] = value
        next = next + 1 == size ? 0 : next + 1
    }

    mutating func removeAll() { (count, next) = (0, 0) }

    /// Of what is held; the mean of the middle two when there are an even number, `nan` when there is none.
    var median: Double {
        guard count > 0 else { return .nan }
        let sorted = memory + size
        return count % 2 == 1 ? sorted[count / 2] : (sorted[count / 2 - 1] + sorted[count / 2]) / 2
    }
}
