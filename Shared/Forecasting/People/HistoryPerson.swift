/// A person as a history knows them, looked up once: asking about thousands of people then reads no names.
///
/// Good for the history that made it and what that history becomes by changes; after a change of the person's record, or of
/// ``History/personCount``, to be looked up again.
public struct HistoryPerson: Sendable {
    /// Of the person's groups; -1 while history has no work of theirs.
    var number: Int32
    /// nil without a record.
    var facts: EmployeeFacts?

    /// The numbers of a person without history.
    public static let unknown = HistoryPerson(number: -1, facts: nil)
}

extension History {
    /// How many people history has met in allocations; it grows and never shrinks.
    public var personCount: Int { index.personCount }

    public func person(_ id: String) -> HistoryPerson {
        HistoryPerson(number: index.personNumber(id) ?? -1, facts: employee(id))
    }
}
