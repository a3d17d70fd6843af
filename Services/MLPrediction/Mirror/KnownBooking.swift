import Contracts
import Foundation
import Ledger

/// One person's part of a booking in the history feed: the person's hours now, and before the booking's edits.
struct KnownBooking: Sendable, Equatable {
    /// What the booking said for a time.
    struct Version: Sendable, Equatable {
        /// Known after this moment.
        let from: Date
        let project: ProjectID
        let first: CivilDate
        let last: CivilDate?
        let effort: Effort
        let commitment: Commitment
        let isCancelled: Bool
    }

    /// nil when the booking was reassigned to another person.
    let present: Version?
    /// Those of this person, in order of time, each with the moment up to which it held.
    private let earlier: [(version: Version, until: Date)]
    private let completedAt: Date?
    /// Required, by their numbers.
    let skills: [Int32]

    /// nil for a person who never had the booking.
    /// - Parameter skills: of those that the allocation requires.
    init?(_ allocation: Contracts.Allocation, of person: EmployeeID, skills: [Int32] = []) {
        self.skills = skills
        let replaced = allocation.earlier ?? []
        earlier = replaced.filter { $0.employeeId == person }.map { (Version($0), $0.validUntil) }
        present = allocation.employeeId == person ? Version(allocation) : nil
        completedAt = allocation.completedAt
        if present == nil, earlier.isEmpty { return nil }
    }

    /// Since when it takes nothing of the person; nil while it does.
    var overSince: Date? { present == nil ? earlier.last?.until : completedAt }

    /// When the person finished the booking; nil while it is open, and when another person has it.
    var finishedAt: Date? { present == nil ? nil : completedAt }

    /// After this moment it is known as it is now, but for being finished.
    var settledAt: Date { max(present?.from ?? .distantPast, earlier.last?.until ?? .distantPast) }

    /// As it was known at a moment: not before it was decided, not finished before it was, and as it stood between edits. nil when it
    /// was not known, or not this person's.
    func booking(
        _ id: AllocationID, at moment: Date, in zone: TimeZone, projects: (ProjectID) -> ProjectTerms?
    ) -> Booking? {
        guard let version = version(at: moment), let project = projects(version.project) else { return nil }
        return Booking(
            id: id, project: project, first: version.first, last: version.last, effort: version.effort,
            commitment: version.commitment, isCancelled: version.isCancelled,
            completed: completedAt.flatMap { $0 < moment ? CivilDate($0, in: zone) : nil })
    }

    private func version(at moment: Date) -> Version? {
        if let present, present.from < moment { return present }
        return earlier.first { $0.version.from < moment && moment <= $0.until }?.version
    }

    static func == (left: Self, right: Self) -> Bool {
        left.present == right.present && left.completedAt == right.completedAt
            && left.earlier.elementsEqual(right.earlier) { $0 == $1 }
    }
}

extension KnownBooking.Version {
    fileprivate init(_ allocation: Contracts.Allocation) {
        self.init(
            from: allocation.earlier?.last?.validUntil ?? allocation.decided?.decidedAt ?? allocation.createdAt,
            project: allocation.projectId, first: allocation.startDate, last: allocation.endDate,
            effort: Effort(
                hours: allocation.allocatedHours, hoursPerDay: allocation.hoursPerDay,
                percentage: allocation.allocationPercentage), commitment: allocation.commitment,
            isCancelled: allocation.isCancelled)
    }

    fileprivate init(_ earlier: EarlierBooking) {
        self.init(
            from: earlier.validFrom, project: earlier.projectId, first: earlier.startDate, last: earlier.endDate,
            effort: Effort(
                hours: earlier.allocatedHours, hoursPerDay: earlier.hoursPerDay,
                percentage: earlier.allocationPercentage), commitment: earlier.commitment,
            isCancelled: earlier.isCancelled)
    }
}

extension ProjectTerms {
    /// As the project stood at a moment; the first version holds before it began too.
    init(_ project: HistoryProject, at moment: Date) {
        let earlier = project.earlierVersions?.first { moment <= $0.validUntil }
        self.init(
            id: project.id, status: earlier?.status ?? project.status,
            first: earlier.map(\.startDate) ?? project.startDate,
            last: earlier.map { $0.endDate ?? $0.estimatedEndDate } ?? project.endDate ?? project.estimatedEndDate)
    }
}
