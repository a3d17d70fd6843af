import Crypto
import Dispatch
public import Forecasting
import Synchronization

/// A stored dataset read back into a history: chunks are taken in, in their order, then read on all cores.
public struct DatasetReader: Sendable {
    private var digest = SHA256()
    private var chunks: [[UInt8]] = []

    public init() {}

    /// The next chunk.
    public mutating func read(_ chunk: [UInt8]) {
        digest.update(data: chunk)
        chunks.append(chunk)
    }

    /// CPU work that grows with the history: call it off the cooperative pool.
    /// - Throws: ``DatasetDamaged`` when the bytes are not those that were stored, or are no lines of a dataset.
    public func history(expecting contentSHA256: String) throws(DatasetDamaged) -> History {
        guard DatasetContent.hex(digest) == contentSHA256 else { throw DatasetDamaged() }
        let parts = Mutex<[Int: Part]>([:])
        let chunks = chunks
        DispatchQueue.concurrentPerform(iterations: chunks.count) { index in
            guard let part = try? Part(chunks[index]) else { return }
            parts.withLock { $0[index] = part }
        }
        var whole = Part()
        for index in chunks.indices {
            guard let part = parts.withLock({ $0.removeValue(forKey: index) }) else { throw DatasetDamaged() }
            whole.append(part)
        }
        return History(
            allocations: whole.allocations, projects: whole.projects, employees: whole.employees,
            capacity: whole.capacity)
    }

    private struct Part: Sendable {
        var employees: [EmployeeFacts] = []
        var projects: [ProjectFacts] = []
        var capacity: [CapacityDay] = []
        var allocations: [Forecasting.Allocation] = []

        init() {}

        init(_ chunk: [UInt8]) throws {
            for line in chunk.split(separator: UInt8(ascii: "\n")) {
                switch try DatasetLine(parsing: line) {
                case .employee(let facts): employees.append(facts)
                case .project(let facts): projects.append(facts)
                case .capacity(let day): capacity.append(day)
                case .allocation(let allocation): allocations.append(allocation)
                }
            }
        }

        mutating func append(_ other: Part) {
            employees += other.employees
            projects += other.projects
            capacity += other.capacity
            allocations += other.allocations
        }
    }
}

/// The stored rows do not have the digest they were stored under.
public struct DatasetDamaged: Error {
    public init() {}
}
