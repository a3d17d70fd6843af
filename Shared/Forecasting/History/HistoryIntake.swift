/// A new history from changes that come one by one: each is kept as it comes, all are arranged once at the end.
///
/// As quick as taking in all at once, without the changes being held beside the history that they make.
public struct HistoryIntake: Sendable {
    private var history = History()
    private var batch = History.Batch()

    /// - Parameter expectedAllocations: room is made for so many at once.
    public init(expectedAllocations: Int = 0) {
        if expectedAllocations > 0 { history.reserve(allocations: expectedAllocations) }
    }

    public mutating func take(_ change: HistoryChange) { history.take(change, &batch) }

    /// The history of all changes taken; the intake begins anew. This is the long part, and belongs on a thread of its own.
    public mutating func finish(on cores: Cores = .all) -> History {
        defer { self = HistoryIntake() }
        history.finish(&batch, on: cores)
        return history
    }
}
