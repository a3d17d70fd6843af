/// Reads sorted runs as one: a heap of their readers, the one with the least key on top.
struct RunMerger {
    private var readers: [SortedRun.Reader]
    /// Numbers of the readers that are not at their end.
    private var heap: [Int] = []

    /// - Throws: ``SpillError``.
    init(_ runs: [SortedRun]) throws {
        readers = runs.map(SortedRun.Reader.init)
        for index in readers.indices where try readers[index].advance() { heap.append(index) }
        for place in stride(from: heap.count / 2 - 1, through: 0, by: -1) { sift(place) }
    }

    /// Puts the next line behind the others; false at the end.
    /// - Throws: ``SpillError``.
    mutating func appendLine(to bytes: inout [UInt8]) throws -> Bool {
        guard let least = heap.first else { return false }
        readers[least].appendLine(to: &bytes)
        if try !readers[least].advance() {
            heap[0] = heap[heap.count - 1]
            heap.removeLast()
        }
        sift(0)
        return true
    }

    /// Lets the reader at a place of the heap sink to where it belongs.
    private mutating func sift(_ place: Int) {
        var place = place
        while true {
            var least = place
            for child in [2 * place + 1, 2 * place + 2] where child < heap.count && precedes(child, least) {
                least = child
            }
            guard least != place else { return }
            heap.swapAt(place, least)
            place = least
        }
    }

    private func precedes(_ a: Int, _ b: Int) -> Bool {
        let (a, b) = (heap[a], heap[b])
        let (aPrefix, bPrefix) = (readers[a].prefix, readers[b].prefix)
        guard aPrefix == bPrefix else { return aPrefix < bPrefix }
        return readers[a].withKey { aKey in readers[b].withKey { KeyOrder.precedes(aPrefix, aKey, bPrefix, $0) } }
    }
}
