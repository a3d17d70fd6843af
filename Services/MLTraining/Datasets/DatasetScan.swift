import Basics
import Contracts
import Crypto
import Forecasting
import Foundation
import HistoryFeed
import ServiceKit

/// Goes through a stored dataset's allocations in their order, a few chunks in memory at a time; those completed before its
/// span are passed over.
///
/// Memory grows with projects and capacity days, which rows are derived from, not with rows. No database connection is
/// held between chunks: a dataset never changes, and a slow reader must not keep one from others.
struct DatasetScan: Sendable {
    struct Entry: Sendable {
        let position: DatasetRowPosition
        let allocation: Forecasting.Allocation
        /// nil while the work is unfinished, and without any hours.
        let point: TrainingPoint?
        /// nil when the history does not say.
        let project: ProjectFacts?
    }

    private let store: any DatasetStore
    private let dataset: TrainingDataset
    private let tenant: TenantID
    /// Allocations up to this one have been seen.
    private let after: DatasetRowPosition?
    private var source = TrainingPointSource()
    /// nil where a capacity day was spilt to disk.
    private var lines: [DatasetLine?] = []
    /// The numbers of the lines.
    private var numbers: [Int] = []
    /// Behind the last line that was read.
    private var end = 0
    /// Capacity days, undecoded until hours must be derived from them: most datasets have recorded hours.
    private var capacity: [ArraySlice<UInt8>] = []
    private var next = 0
    private var digest = SHA256()

    init(store: any DatasetStore, dataset: TrainingDataset, tenant: TenantID, after: DatasetRowPosition? = nil) {
        self.store = store
        self.dataset = dataset
        self.tenant = tenant
        self.after = after
    }

    /// - Throws: `DatasetDamaged` at the end of a whole scan whose bytes are not those that were stored; `ProblemError` 404 where
    ///   the archive that the tenant came from has left them out.
    mutating func entry() async throws -> Entry? {
        while true {
            while next < lines.count {
                next += 1
                switch lines[next - 1] {
                case .employee, nil: continue
                case .project(let facts): source.add(facts)
                case .capacity(let day): source.add(day)
                case .allocation(let allocation):
                    let position = DatasetRowPosition(number: numbers[next - 1])
                    if let after, position <= after { continue }
                    // Only features rest on what was completed before the span.
                    if let completed = allocation.completedAt, completed < dataset.spanStart.timeIntervalSince1970 {
                        continue
                    }
                    if allocation.completedAt != nil, (allocation.actualHours ?? 0) <= 0 { try await readCapacity() }
                    return Entry(
                        position: position, allocation: allocation,
                        point: source.point(for: allocation, asOf: dataset.asOf.timeIntervalSince1970),
                        project: source.project(allocation.project))
                }
            }
            guard try await readChunks() else { return nil }
        }
    }

    private mutating func readChunks() async throws -> Bool {
        let chunks = try await store.chunks(
            of: dataset.id, tenant: tenant, from: end, skippingAllocationsBefore: after.map { $0.number + 1 } ?? 0)
        guard let last = chunks.last else {
            guard after == nil, digest.finalize().hex != dataset.contentSha256 else { return false }
            if end == 0 { throw ProblemError.notFound("The dataset's content") }
            throw DatasetDamaged()
        }
        for chunk in chunks { digest.update(data: chunk.content) }
        let (decoded, numbers, aside) = try await ComputeThread.run(named: "dataset") {
            var (decoded, numbers, aside): ([DatasetLine?], [Int], [ArraySlice<UInt8>]) = ([], [], [])
            for chunk in chunks {
                for (offset, line) in chunk.content.split(separator: UInt8(ascii: "\n")).enumerated() {
                    numbers.append(chunk.firstLine + offset)
                    if line.starts(with: #"{"capacity""#.utf8) {
                        aside.append(line)
                        decoded.append(nil)
                    } else {
                        decoded.append(try DatasetLine(parsing: line))
                    }
                }
            }
            return (decoded, numbers, aside)
        }
        lines = decoded
        self.numbers = numbers
        capacity += aside
        (end, next) = (last.end, 0)
        return true
    }

    /// Facts come before allocations, so all capacity days have been spilt when the first is asked for.
    private mutating func readCapacity() async throws {
        guard !capacity.isEmpty else { return }
        let aside = capacity
        capacity = []
        source = try await ComputeThread.run(named: "dataset") { [source] in
            var source = source
            for line in aside {
                if case .capacity(let day) = try DatasetLine(parsing: line) { source.add(day) }
            }
            return source
        }
    }
}

/// Which line of a stored dataset an allocation is, for a cursor: it holds however the lines are cut into chunks.
struct DatasetRowPosition: Codable, Sendable, Comparable {
    let number: Int

    init(number: Int) { self.number = number }

    private enum CodingKeys: CodingKey { case number }

    /// - Throws: `DecodingError` for a number that the column cannot hold: a cursor is the client's word.
    init(from decoder: any Decoder) throws {
        number = Int(try decoder.container(keyedBy: CodingKeys.self).decode(Int32.self, forKey: .number))
    }

    static func < (a: Self, b: Self) -> Bool { a.number < b.number }
}

extension DatasetRow {
    /// nil for an allocation that is no training point.
    /// - Throws: `DatasetDamaged` when an id is none.
    init?(_ entry: DatasetScan.Entry) throws {
        guard let point = entry.point else { return nil }
        guard let id = AllocationID(point.allocationID), let employee = EmployeeID(point.employeeID),
            let project = ProjectID(point.projectID)
        else { throw DatasetDamaged() }
        self.init(
            allocationId: id, employeeId: employee, projectId: project, requiredSkills: point.skills,
            labels: entry.allocation.labels, allocationPercentage: point.allocationPercentage,
            plannedHours: point.plannedHours, actualHours: point.actualHours, hoursSource: point.hoursSource.rawValue,
            performanceScore: point.performanceScore, completionRate: point.completionRate,
            timestamp: Date(timeIntervalSince1970: point.timestamp),
            start: point.start.map { Date(timeIntervalSince1970: $0) },
            completedAt: Date(timeIntervalSince1970: point.completedAt), success: point.success,
            title: entry.allocation.title,
            plannedEnd: entry.allocation.plannedEnd.map { Date(timeIntervalSince1970: $0) },
            hoursPerDay: entry.allocation.hoursPerDay)
    }
}
