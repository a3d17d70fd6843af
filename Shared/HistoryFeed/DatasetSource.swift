public import Forecasting
public import Foundation

/// Everything one job may learn from, gathered change by change in any order, to be put into the one order that gives the
/// same bytes for the same history (``DatasetContent``).
///
/// Only what was known before `asOf` stays: later allocations are left out, later outcomes taken off earlier ones.
/// Allocations finished before the span are no training points, but stay: the features of those that are, and of every
/// question answered later, rest on the whole history.
///
/// Everything is kept as the line it will be, so that the work is done while the history streams in, and within bounded
/// memory: what exceeds it is spilt to disk, in files that no other user can open and that no crash leaves behind.
public struct DatasetSource: Sendable {
    public let spanStart: Date
    /// Nothing known at or after it is kept.
    public let asOf: Date
    /// Whether an outcome was left out for being of `asOf` or later: the feed's end says more than this does then.
    public private(set) var leavesOutOutcomes = false

    private(set) var lines: LineSorter
    private var labelSets = LabelSets()

    private let asOfSeconds: Double
    private let spanStartSeconds: Double

    /// - Parameters:
    ///   - months: how far back the span reaches.
    ///   - memoryBytes: how many bytes of lines are held in memory at most.
    ///   - directory: the spill directory for what exceeds memory.
    public init(
        months: Int, asOf: Date, memoryBytes: Int = 64 << 20,
        directory: URL = FileManager.default.temporaryDirectory
    ) {
        self.asOf = asOf
        spanStart = Self.start(of: months, before: asOf)
        lines = LineSorter(memoryBytes: memoryBytes, directory: directory)
        asOfSeconds = asOf.timeIntervalSince1970
        spanStartSeconds = spanStart.timeIntervalSince1970
    }

    /// The same day of the month `months` earlier, in UTC (31 March − 1 month is the last day of February).
    public static func start(of months: Int, before asOf: Date) -> Date {
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = .gmt
        return calendar.date(byAdding: .month, value: -months, to: asOf) ?? .distantPast
    }

    /// Whether memory was not enough.
    public var hasSpilled: Bool { lines.hasSpilled }

    /// - Throws: `EncodingError` for a number that JSON cannot hold, ``SpillError``.
    public mutating func add(_ change: HistoryChange) throws {
        switch change {
        case .employee(let facts): try lines.put(.employee(facts.id), .employee(facts))
        case .employeeRemoved(let id): try lines.put(.employee(id), nil)
        case .project(let facts): try lines.put(.project(facts.id), .project(facts))
        case .projectRemoved(let id): try lines.put(.project(id), nil)
        case .allocation(let allocation): try add(allocation)
        case .allocationRemoved(let id): try lines.put(.allocation(id, decidedAt: 0), nil)
        case .capacity(let day):
            guard day.day < asOfSeconds else { return }
            try lines.put(.capacity(employee: day.employee, day: day.day), .capacity(day))
        case .capacityRemoved(let employee, let day): try lines.put(.capacity(employee: employee, day: day), nil)
        }
    }

    private mutating func add(_ given: Forecasting.Allocation) throws {
        guard let allocation = asKnown(given) else {
            return try lines.put(.allocation(given.id, decidedAt: 0), nil)
        }
        try lines.put(
            .allocation(allocation.id, decidedAt: allocation.decidedAt), .allocation(allocation),
            note: LineNote(
                isCompleted: (allocation.completedAt ?? -.infinity) >= spanStartSeconds,
                labels: labelSets.index(of: allocation.labels)))
    }

    /// The allocation as it stood at `asOf`; nil when it was not known yet.
    private mutating func asKnown(_ given: Forecasting.Allocation) -> Forecasting.Allocation? {
        var allocation = given
        let skills = allocation.skills
        if !zip(skills, skills.dropFirst()).allSatisfy(<=) { allocation.skills.sort() }
        if let cancelled = allocation.cancelledAt, cancelled >= asOfSeconds { allocation.cancelledAt = nil }
        if let soft = allocation.softSince, soft >= asOfSeconds { allocation.softSince = nil }
        if let completed = allocation.completedAt {
            if completed >= asOfSeconds { leavesOutOutcomes = true }
            // A record made after the fact was decided no later than its completion: History says the same.
            let decided =
                completed < allocation.decidedAt ? min(allocation.start ?? completed, completed) : allocation.decidedAt
            guard decided < asOfSeconds else { return nil }
            if completed >= asOfSeconds {
                allocation.completedAt = nil
                allocation.actualHours = nil
            }
            return allocation
        }
        // Hours noted on unfinished work have no date, so they count as not yet known.
        allocation.actualHours = nil
        return allocation.decidedAt < asOfSeconds ? allocation : nil
    }

    /// The labels of some of the sets of label keys, sorted.
    func labelKeys(of sets: Set<Int32>) -> [String] { labelSets.keys(of: sets) }
}

/// The few different sets of label keys that allocations have, by number.
private struct LabelSets: Sendable {
    private var numbers: [[String]: Int32] = [[]: 0]
    private var sets: [[String]] = [[]]
    /// Most allocations have the labels of the one before.
    private var last = 0

    mutating func index(of labels: [String: String]) -> Int32 {
        if labels.isEmpty { return 0 }
        if sets[last].count == labels.count, sets[last].allSatisfy({ labels[$0] != nil }) { return Int32(last) }
        let keys = labels.keys.sorted()
        let number = numbers[keys] ?? Int32(sets.count)
        if number == sets.count {
            sets.append(keys)
            numbers[keys] = number
        }
        last = Int(number)
        return number
    }

    func keys(of numbers: Set<Int32>) -> [String] {
        numbers.reduce(into: Set<String>()) { $0.formUnion(sets[Int($1)]) }.sorted()
    }
}
