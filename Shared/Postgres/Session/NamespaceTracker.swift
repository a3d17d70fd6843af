/// Which schemas unqualified names resolve in on one connection, as far as it is known; see ``StatementCache``.
struct NamespaceTracker {
    /// `nil` until asked for.
    private(set) var current: String?
    private var outsideTransaction: String?
    private var isChangedInTransaction = false

    /// The server has said what it is.
    mutating func learned(_ namespace: String, inTransaction: Bool) {
        current = namespace
        if !isChangedInTransaction || !inTransaction { outsideTransaction = namespace }
    }

    /// A statement may have changed it.
    mutating func mayHaveChanged(inTransaction: Bool, beyondTransaction: Bool) {
        current = nil
        isChangedInTransaction = inTransaction
        if !inTransaction || beyondTransaction { outsideTransaction = nil }
    }

    /// What `set local` changed ends with the transaction.
    mutating func transactionEnded(ifIdle isIdle: Bool) {
        guard isIdle, isChangedInTransaction else { return }
        isChangedInTransaction = false
        current = outsideTransaction
    }
}
