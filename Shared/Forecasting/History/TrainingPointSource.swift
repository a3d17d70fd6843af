/// Training points one by one, for data sets too large to be a ``History`` at once: give it all projects and capacity
/// days first, then ask for each allocation. It answers as ``History/trainingPoints(asOf:)`` does; memory grows with
/// projects and capacity days, not with allocations.
public struct TrainingPointSource: Sendable {
    private var projects: [String: ProjectFacts] = [:]
    /// Employee → day number → utilisation percent.
    private var capacity: [String: [Int: Double]] = [:]

    public init() {}

    public mutating func add(_ project: ProjectFacts) { projects[project.id] = project }

    public mutating func add(_ day: CapacityDay) {
        capacity[day.employee, default: [:]][History.dayNumber(day.day)] = day.utilisation
    }

    public func project(_ id: String) -> ProjectFacts? { projects[id] }

    /// - Parameter moment: seconds since 1970; what completed at or after it is unfinished.
    /// - Returns: nil for unfinished work and for work without any hours, planned or recorded.
    public func point(for given: Allocation, asOf moment: Double) -> TrainingPoint? {
        let allocation = given.decidedNoLaterThanCompleted
        guard let completed = allocation.completedAt, completed < moment else { return nil }
        let (hours, source) = allocation.derivedHours(utilisation: capacity[allocation.employee])
        guard let hours, let source else { return nil }
        return TrainingPoint(
            allocation, hours: hours, source: source, completed: completed, project: projects[allocation.project],
            asOf: moment)
    }
}

extension Allocation {
    /// A record made after its work was completed counts as decided at its start, at the latest at its completion.
    var decidedNoLaterThanCompleted: Allocation {
        guard let completed = completedAt, completed < decidedAt else { return self }
        var allocation = self
        allocation.decidedAt = min(start ?? completed, completed)
        return allocation
    }

    /// As docs/architecture.md#what-is-learned defines it: recorded, else allocated × mean utilisation over the
    /// allocation's days ÷ 100, else allocated.
    /// - Parameter days: the employee's utilisation percent by day number.
    func derivedHours(utilisation days: [Int: Double]?) -> (hours: Double?, source: TrainingPoint.HoursSource?) {
        guard let completed = completedAt else { return (nil, nil) }
        if let recorded = actualHours, recorded > 0 { return (recorded, .recorded) }
        guard plannedHours > 0 else { return (nil, nil) }
        let first = History.dayNumber(start ?? decidedAt)
        let last = History.dayNumber(plannedEnd ?? completed)
        if let days, first <= last {
            // The shorter of the two is walked: an open-ended allocation must not cost a loop over centuries.
            let span = last - first + 1
            let rates =
                span <= days.count
                ? (first...last).compactMap { days[$0] }
                : days.filter { $0.key >= first && $0.key <= last }.sorted { $0.key < $1.key }.map(\.value)
            if !rates.isEmpty {
                let hours = plannedHours * rates.reduce(0, +) / Double(rates.count) / 100
                if hours > 0 { return (hours, .utilisation) }
            }
        }
        return (plannedHours, .planned)
    }
}

extension TrainingPoint {
    init(
        _ allocation: Allocation, hours: Double, source: HoursSource, completed: Double, project: ProjectFacts?,
        asOf moment: Double
    ) {
        let planned = allocation.plannedHours > 0 ? allocation.plannedHours : nil
        self.init(
            allocationID: allocation.id, employeeID: allocation.employee, projectID: allocation.project,
            skills: allocation.skills, allocationPercentage: allocation.allocationPercent, actualHours: hours,
            hoursSource: source,
            performanceScore: PerformanceScore.score(project?.dates(at: moment), status: project?.status, at: moment),
            completionRate: project?.completionPercent, timestamp: allocation.decidedAt, plannedHours: planned,
            start: allocation.start, completedAt: completed,
            success: source == .recorded ? planned.map { hours <= $0 } : nil)
    }
}
