import Contracts
import Forecasting
import Foundation
import HistoryFeed

/// Everything one job may learn from, gathered line by line in any order and then put into the one order that gives the
/// same bytes for the same history.
///
/// Only what was known before `asOf` stays: later allocations are left out, later outcomes taken off earlier ones.
/// Allocations finished before the span are left out too; unfinished ones stay, since they say how busy people are.
struct DatasetSource: Sendable {
    let spanStart: Double
    /// Seconds since 1970; nothing known at or after it is kept.
    let asOf: Double

    private var employees: [String: EmployeeFacts] = [:]
    private var projects: [String: ProjectFacts] = [:]
    private var allocations: [String: Forecasting.Allocation] = [:]
    private var capacity: [CapacityKey: CapacityDay] = [:]
    /// Whether an outcome was left out for being of `asOf` or later: the feed's end says more than this does then.
    private(set) var leavesOutOutcomes = false

    private struct CapacityKey: Hashable {
        let employee: String
        let day: Double
    }

    init(months: Int, asOf: Date) {
        self.asOf = asOf.timeIntervalSince1970
        self.spanStart = Self.start(of: months, before: asOf).timeIntervalSince1970
    }

    /// The same day of the month `months` earlier, in UTC (31 March − 1 month is the last day of February).
    static func start(of months: Int, before asOf: Date) -> Date {
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = .gmt
        return calendar.date(byAdding: .month, value: -months, to: asOf) ?? .distantPast
    }

    mutating func add(_ change: HistoryChange) {
        switch change {
        case .employee(let facts): employees[facts.id] = facts
        case .employeeRemoved(let id): employees[id] = nil
        case .project(let facts): projects[facts.id] = facts
        case .projectRemoved(let id): projects[id] = nil
        case .allocation(let allocation): allocations[allocation.id] = asKnown(allocation)
        case .allocationRemoved(let id): allocations[id] = nil
        case .capacity(let day):
            if day.day < asOf { capacity[CapacityKey(employee: day.employee, day: day.day)] = day }
        case .capacityRemoved(let employee, let day):
            capacity[CapacityKey(employee: employee, day: day)] = nil
        }
    }

    /// The allocation as it stood at `asOf`; nil when it was not known yet or ended before the span.
    private mutating func asKnown(_ given: Forecasting.Allocation) -> Forecasting.Allocation? {
        var allocation = given
        allocation.skills.sort()
        if let completed = allocation.completedAt {
            if completed >= asOf { leavesOutOutcomes = true }
            // A record made after the fact was decided no later than its completion: History says the same.
            let decided =
                completed < allocation.decidedAt ? min(allocation.start ?? completed, completed) : allocation.decidedAt
            guard decided < asOf, completed >= spanStart else { return nil }
            if completed >= asOf {
                allocation.completedAt = nil
                allocation.actualHours = nil
            }
            return allocation
        }
        // Hours noted on unfinished work have no date, so they count as not yet known.
        allocation.actualHours = nil
        return allocation.decidedAt < asOf ? allocation : nil
    }

    /// All lines in canonical order: employees, projects, capacity, then allocations by decision and id.
    var lines: [DatasetLine] {
        employees.values.sorted { $0.id < $1.id }.map(DatasetLine.employee)
            + projects.values.sorted { $0.id < $1.id }.map(DatasetLine.project)
            + capacity.values.sorted { ($0.employee, $0.day) < ($1.employee, $1.day) }.map(DatasetLine.capacity)
            + allocations.values.sorted { ($0.decidedAt, $0.id) < ($1.decidedAt, $1.id) }.map(DatasetLine.allocation)
    }
}

/// One line of a stored dataset. Names and addresses of people are no part of it.
enum DatasetLine: Codable, Sendable, Equatable {
    case employee(EmployeeFacts)
    case project(ProjectFacts)
    case capacity(CapacityDay)
    case allocation(Forecasting.Allocation)

    private enum Key: String, CodingKey { case employee, project, capacity, allocation }

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Key.self)
        switch container.allKeys.first {
        case .employee: self = .employee(try container.decode(EmployeeFacts.self, forKey: .employee))
        case .project: self = .project(try container.decode(ProjectFacts.self, forKey: .project))
        case .capacity: self = .capacity(try container.decode(CapacityDay.self, forKey: .capacity))
        case .allocation:
            self = .allocation(try container.decode(Forecasting.Allocation.self, forKey: .allocation))
        case nil:
            throw DecodingError.dataCorrupted(
                DecodingError.Context(codingPath: decoder.codingPath, debugDescription: "not a line of a dataset"))
        }
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        switch self {
        case .employee(let facts): try container.encode(facts, forKey: .employee)
        case .project(let facts): try container.encode(facts, forKey: .project)
        case .capacity(let day): try container.encode(day, forKey: .capacity)
        case .allocation(let allocation): try container.encode(allocation, forKey: .allocation)
        }
    }
}
