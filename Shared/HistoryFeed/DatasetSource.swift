public import Forecasting
public import Foundation

/// Everything one job may learn from, gathered change by change in any order, to be put into the one order that gives the
/// same bytes for the same history (``DatasetContent``).
///
/// Only what was known before `asOf` stays: later allocations are left out, later outcomes taken off earlier ones.
/// Allocations finished before the span are left out too; unfinished ones stay, since they say how busy people are.
///
/// An allocation is kept as the line it will be, so that the work is done while the history streams in and a million of them
/// take little more memory than their bytes.
public struct DatasetSource: Sendable {
    public let spanStart: Date
    /// Nothing known at or after it is kept.
    public let asOf: Date
    /// Whether an outcome was left out for being of `asOf` or later: the feed's end says more than this does then.
    public private(set) var leavesOutOutcomes = false

    private(set) var employees: [String: EmployeeFacts] = [:]
    private(set) var projects: [String: ProjectFacts] = [:]
    private(set) var capacity: [String: [Double: Double]] = [:]
    private(set) var allocations: [String: StoredLine] = [:]
    private(set) var arena = LineArena()
    private var labelSets = LabelSets()

    private let asOfSeconds: Double
    private let spanStartSeconds: Double

    struct StoredLine: Sendable {
        let place: LineArena.Place
        let decidedAt: Double
        let isCompleted: Bool
        /// Which label keys it has.
        let labels: Int32
    }

    public init(months: Int, asOf: Date) {
        self.asOf = asOf
        spanStart = Self.start(of: months, before: asOf)
        asOfSeconds = asOf.timeIntervalSince1970
        spanStartSeconds = spanStart.timeIntervalSince1970
    }

    /// The same day of the month `months` earlier, in UTC (31 March − 1 month is the last day of February).
    public static func start(of months: Int, before asOf: Date) -> Date {
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = .gmt
        return calendar.date(byAdding: .month, value: -months, to: asOf) ?? .distantPast
    }

    /// - Throws: `EncodingError` for a number that JSON cannot hold.
    public mutating func add(_ change: HistoryChange) throws {
        switch change {
        case .employee(let facts): employees[facts.id] = facts
        case .employeeRemoved(let id): employees[id] = nil
        case .project(let facts): projects[facts.id] = facts
        case .projectRemoved(let id): projects[id] = nil
        case .allocation(let allocation): try add(allocation)
        case .allocationRemoved(let id): allocations[id] = nil
        case .capacity(let day):
            if day.day < asOfSeconds { capacity[day.employee, default: [:]][day.day] = day.utilisation }
        case .capacityRemoved(let employee, let day): capacity[employee]?[day] = nil
        }
    }

    private mutating func add(_ given: Forecasting.Allocation) throws {
        guard let allocation = asKnown(given) else {
            allocations[given.id] = nil
            return
        }
        allocations[allocation.id] = StoredLine(
            place: try arena.write(.allocation(allocation)), decidedAt: allocation.decidedAt,
            isCompleted: allocation.completedAt != nil, labels: labelSets.index(of: allocation.labels))
    }

    /// The allocation as it stood at `asOf`; nil when it was not known yet or ended before the span.
    private mutating func asKnown(_ given: Forecasting.Allocation) -> Forecasting.Allocation? {
        var allocation = given
        let skills = allocation.skills
        if !zip(skills, skills.dropFirst()).allSatisfy(<=) { allocation.skills.sort() }
        if let completed = allocation.completedAt {
            if completed >= asOfSeconds { leavesOutOutcomes = true }
            // A record made after the fact was decided no later than its completion: History says the same.
            let decided =
                completed < allocation.decidedAt ? min(allocation.start ?? completed, completed) : allocation.decidedAt
            guard decided < asOfSeconds, completed >= spanStartSeconds else { return nil }
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

    /// The labels that some allocation has, sorted.
    var labelKeys: [String] { labelSets.keys(of: Set(allocations.values.map(\.labels))) }
}

/// Lines one behind the other, in pieces that never move.
struct LineArena: Sendable {
    struct Place: Sendable {
        let piece: Int32
        let offset: Int32
        let count: Int32
    }

    private var pieces: [[UInt8]] = []
    private static let pieceBytes = 4 << 20

    mutating func write(_ line: DatasetLine) throws -> Place {
        if (pieces.last?.count ?? Self.pieceBytes) >= Self.pieceBytes {
            pieces.append([])
            pieces[pieces.count - 1].reserveCapacity(Self.pieceBytes + 4_096)
        }
        let piece = pieces.count - 1
        let offset = pieces[piece].count
        try line.write(to: &pieces[piece])
        return Place(
            piece: Int32(piece), offset: Int32(offset), count: Int32(pieces[piece].count - offset))
    }

    func append(_ place: Place, to bytes: inout [UInt8]) {
        let start = Int(place.offset)
        bytes.append(contentsOf: pieces[Int(place.piece)][start..<start + Int(place.count)])
    }
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
