import Contracts
import Foundation
import Ledger

/// One booking as the history feed tells of it.
struct KnownBooking: Sendable, Equatable {
    /// When it was decided for this person: at its creation, or when it was given to them.
    let decidedAt: Date
    let completedAt: Date?
    let project: ProjectID
    let first: CivilDate
    let last: CivilDate?
    let effort: Effort
    let commitment: Commitment
    let isCancelled: Bool
    /// Required, by their numbers.
    let skills: [Int32]

    /// - Parameter skills: of those that the allocation requires.
    init(_ allocation: Contracts.Allocation, skills: [Int32] = []) {
        self.skills = skills
        decidedAt = allocation.decided?.decidedAt ?? allocation.createdAt
        completedAt = allocation.completedAt
        project = allocation.projectId
        first = allocation.startDate
        last = allocation.endDate
        effort = Effort(
            hours: allocation.allocatedHours, hoursPerDay: allocation.hoursPerDay,
            percentage: allocation.allocationPercentage)
        commitment = allocation.commitment
        isCancelled = allocation.isCancelled
    }

    /// As it was known at a moment: not before it was decided, and not finished before it was. nil when it was not known.
    func booking(_ id: AllocationID, on project: ProjectTerms, at moment: Date, in zone: TimeZone) -> Booking? {
        guard decidedAt < moment else { return nil }
        return Booking(
            id: id, project: project, first: first, last: last, effort: effort, commitment: commitment,
            isCancelled: isCancelled,
            completed: completedAt.flatMap { $0 < moment ? CivilDate($0, in: zone) : nil })
    }
}

extension ProjectTerms {
    init(_ project: HistoryProject) {
        self.init(
            id: project.id, status: project.status, first: project.startDate,
            last: project.endDate ?? project.estimatedEndDate)
    }
}
