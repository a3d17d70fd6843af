import CKernels

/// What one finished allocation says, in the form in which it is summed.
///
/// Lanes: log ratio actual ÷ plan, log hours, log plan, squared log ratio, squared log hours; then what is counted: success,
/// exactly as planned, has a plan. Rows without a plan have 0 in every lane that needs one.
typealias OutcomeLanes = SIMD8<Double>

enum Lane {
    static let ratio = 0
    static let hours = 1
    static let plan = 2
    static let ratioSquared = 3
    static let hoursSquared = 4
    static let success = 5
    static let exact = 6
    static let planned = 7
}

/// The rows of a series, by plain pointers: good only while the series is alive and unchanged.
///
/// A row is one line of the processor's caches: in a large history each line that is far from the others is waited for.
struct SeriesRows {
    private let base: UnsafeMutableRawPointer
    /// Of the log ratio and of the log hours: the median of the latest `GroupSeries.medianWindow` rows that have it, up to each
    /// row. Nil when not kept.
    let medians: UnsafeMutablePointer<SIMD2<Double>>?

    /// - Parameter capacity: for how many rows there is room.
    @inline(__always)
    init(_ base: UnsafeMutableRawPointer, capacity: Int, keepsMedians: Bool) {
        self.base = base
        medians = keepsMedians ? (base + capacity * Row.size).assumingMemoryBound(to: SIMD2<Double>.self) : nil
    }

    /// Bytes that room for so many rows takes: whole lines.
    static func bytes(capacity: Int, keepsMedians: Bool) -> Int {
        let medians = keepsMedians ? capacity * MemoryLayout<SIMD2<Double>>.stride : 0
        return capacity * Row.size + (medians + Row.size - 1) / Row.size * Row.size
    }

    @inline(__always)
    subscript(row: Int) -> Row { Row(place: base + row * Row.size) }

    /// - Parameters:
    ///   - count: how many rows there are.
    ///   - first: the time of the first.
    ///   - last: the time of the last.
    @inline(__always)
    func moments(count: Int, first: Double, last: Double) -> SortedMoments {
        SortedMoments(times: base + Row.timeOffset, stride: Row.size, count: count, first: first, last: last)
    }

    func copy(from other: SeriesRows, count: Int) {
        base.copyMemory(from: other.base, byteCount: count * Row.size)
        if let theirs = other.medians { medians?.update(from: theirs, count: count) }
    }

    /// Asks for the memory that a view of the first `count` rows reads.
    @inline(__always)
    func prefetch(before count: Int) {
        for back in [1, 3, 6, 21] where count >= back { erm_prefetch(self[count - back].place) }
        if let medians { erm_prefetch(medians + (count - 1)) }
    }

    /// The latest rows before `end` that had a plan, ascending, as many as medians look back.
    func latestPlanned(before end: Int) -> [Int] {
        var found: [Int] = []
        var end = end
        while end > 0, found.count < GroupSeries.medianWindow {
            let planned = self[end - 1].sums[Lane.planned]
            guard planned > 0 else { break }
            let isLast = end == 1 || self[end - 2].sums[Lane.planned] < planned
            end = isLast ? end - 1 : firstPosition(in: end) { self[$0].sums[Lane.planned] >= planned }
            found.append(end)
        }
        return found.reversed()
    }

    struct Row {
        fileprivate let place: UnsafeMutableRawPointer

        static let size = 64
        private static let hoursSquaredOffset = 32
        private static let slotOffset = 40
        private static let countsOffset = 44
        fileprivate static let timeOffset = 56

        /// When it was completed.
        var time: Double {
            @inline(__always) get { place.load(fromByteOffset: Self.timeOffset, as: Double.self) }
            nonmutating set { place.storeBytes(of: newValue, toByteOffset: Self.timeOffset, as: Double.self) }
        }

        /// Of the entry; -1 where a batch of changes has marked the row as gone.
        var slot: Int32 {
            @inline(__always) get { place.load(fromByteOffset: Self.slotOffset, as: Int32.self) }
            nonmutating set { place.storeBytes(of: newValue, toByteOffset: Self.slotOffset, as: Int32.self) }
        }

        /// From the first row to this one. The counts among them are whole numbers, and kept as such.
        var sums: OutcomeLanes {
            @inline(__always) get {
                OutcomeLanes(
                    lowHalf: place.load(as: SIMD4<Double>.self),
                    highHalf: SIMD4(
                        place.load(fromByteOffset: Self.hoursSquaredOffset, as: Double.self), count(0), count(1),
                        count(2)))
            }
            nonmutating set {
                place.storeBytes(of: newValue.lowHalf, as: SIMD4<Double>.self)
                place.storeBytes(
                    of: newValue[Lane.hoursSquared], toByteOffset: Self.hoursSquaredOffset, as: Double.self)
                for number in 0..<3 {
                    place.storeBytes(
                        of: Int32(newValue[Lane.success + number]), toByteOffset: Self.countsOffset + 4 * number,
                        as: Int32.self)
                }
            }
        }

        /// Success, exactly as planned, has a plan.
        @inline(__always)
        private func count(_ number: Int) -> Double {
            Double(place.load(fromByteOffset: Self.countsOffset + 4 * number, as: Int32.self))
        }
    }
}
