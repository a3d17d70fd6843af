import Contracts
import Synchronization

/// What is known of a file while and after it streams into the staging table.
final class ImportTally: Sendable {
    struct State: Sendable {
        var rowsRead = 0
        var rejected = 0
        var errors: [ImportRowError] = []
        /// The columns the file names.
        var namedColumns: Set<String> = []
    }

    /// As many bad rows are reported one by one.
    static let maximumErrors = 1000

    private let guarded = Mutex(State())

    var state: State { guarded.withLock { $0 } }

    func count(rows: Int, rejected: Int, errors: [ImportRowError], namedColumns: Set<String>) {
        guarded.withLock { state in
            state.rowsRead += rows
            state.rejected += rejected
            state.namedColumns = namedColumns
            state.errors.append(contentsOf: errors.prefix(max(0, Self.maximumErrors - state.errors.count)))
        }
    }
}
