/// A person as a history knows them, looked up once: asking about thousands of people then reads no names.
///
/// Good for the history that made it and what that history becomes by changes; after a change of the person's record, or of
/// ``History/personCount``, to be looked up again.
public struct HistoryPerson: Sendable {
    /// Of the person's groups; -1 while history has no work of theirs.
    let number: Int32
    // Of the record only what is asked of it: a name would be one more reference to count for each person.
    private let weeklyCapacityHours: Double
    private let contracts: [ContractFacts]?

    fileprivate init(number: Int32, _ facts: EmployeeFacts?) {
        self.number = number
        weeklyCapacityHours = facts?.weeklyCapacityHours ?? EmployeeFacts.usualWeeklyCapacityHours
        contracts = facts?.contracts
    }

    /// The numbers of a person without history.
    public static let unknown = HistoryPerson(number: -1, nil)

    /// As ``EmployeeFacts/weeklyCapacityHours(at:)``.
    func weeklyCapacityHours(at moment: Double) -> Double {
        EmployeeFacts.weeklyHours(at: moment, under: contracts, otherwise: weeklyCapacityHours)
    }
}

extension History {
    /// How many people history has met in allocations; it grows and never shrinks.
    public var personCount: Int { index.personCount }

    public func person(_ id: String) -> HistoryPerson {
        HistoryPerson(number: index.personNumber(id) ?? -1, employee(id))
    }
}
