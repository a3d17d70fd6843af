import Contracts
import Synchronization

/// What is known of a file while and after it is staged.
final class ImportTally: Sendable {
    struct State: Sendable {
        var bytes = 0
        var rowsRead = 0
        var rejected = 0
        var errors: [ImportRowError] = []
        var warnings: [ImportRowError] = []
        var columns = ImportColumns()
    }

    /// As many errors are reported one by one, and as many warnings.
    static let maximumNotes = 1000

    private let guarded = Mutex(State())

    var state: State { guarded.withLock { $0 } }

    func received(bytes: Int) { guarded.withLock { $0.bytes += bytes } }

    func count(
        rows: Int, rejected: Int, errors: [ImportRowError], warnings: [ImportRowError], columns: ImportColumns
    ) {
        guarded.withLock { state in
            state.rowsRead += rows
            state.rejected += rejected
            state.columns = columns
            state.errors += errors.prefix(Self.maximumNotes - state.errors.count)
            state.warnings += warnings.prefix(Self.maximumNotes - state.warnings.count)
        }
    }
}
