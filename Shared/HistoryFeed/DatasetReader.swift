import Basics
import Crypto
import Dispatch
public import Forecasting
import Synchronization

/// A stored dataset read back into a history, as its chunks come: only what they say is kept, not their bytes.
public final class DatasetReader: Sendable {
    private let state: Mutex<State>

    private struct State {
        var digest = SHA256()
        var history: HistoryIntake
    }

    /// - Parameter lines: how many there will be, for room to be made for them at once.
    public init(expectingLines lines: Int = 0) {
        state = Mutex(State(history: HistoryIntake(expectedAllocations: lines)))
    }

    /// The next chunks, in their order; several at once are read on all cores. CPU work: call it off the cooperative pool.
    /// - Throws: ``DatasetDamaged`` when they hold something else than lines of a dataset.
    public func read(_ chunks: [[UInt8]]) throws(DatasetDamaged) {
        let parts = Mutex([[HistoryChange]?](repeating: nil, count: chunks.count))
        DispatchQueue.concurrentPerform(iterations: chunks.count) { index in
            let part = try? chunks[index].split(separator: UInt8(ascii: "\n")).map {
                try DatasetLine(parsing: $0).change
            }
            parts.withLock { $0[index] = part }
        }
        let isWhole = state.withLock { state in
            for chunk in chunks { state.digest.update(data: chunk) }
            return parts.withLock { parts in
                for part in parts {
                    guard let part else { return false }
                    for change in part { state.history.take(change) }
                }
                return true
            }
        }
        guard isWhole else { throw DatasetDamaged() }
    }

    /// The history of all chunks. CPU work that grows with the history: call it off the cooperative pool.
    /// - Throws: ``DatasetDamaged`` when the bytes are not those that were stored.
    public func history(expecting contentSHA256: String) throws(DatasetDamaged) -> History {
        let history = state.withLock { state in
            state.digest.finalize().hex == contentSHA256 ? state.history.finish() : nil
        }
        guard let history else { throw DatasetDamaged() }
        return history
    }
}

/// The stored rows do not have the digest they were stored under.
public struct DatasetDamaged: Error {
    public init() {}
}

extension DatasetLine {
    /// What the line tells a history.
    fileprivate var change: HistoryChange {
        switch self {
        case .employee(let facts): .employee(facts)
        case .project(let facts): .project(facts)
        case .capacity(let day): .capacity(day)
        case .allocation(let allocation): .allocation(allocation)
        }
    }
}
