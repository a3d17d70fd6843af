public import Contracts
public import Forecasting
import FoundationEssentials

// The one translation from what tenant-admin sends to what Forecasting knows, used for training and for serving: were
// there two, a model would be asked about a world other than the one it learned from.

extension HistoryLine {
    /// What the line changes in a `History`; nil for `end` and for kinds of removal a later version may add.
    public var change: HistoryChange? {
        switch self {
        case .employee(let employee): .employee(EmployeeFacts(employee))
        case .project(let project): .project(ProjectFacts(project))
        case .allocation(let allocation): .allocation(Forecasting.Allocation(allocation))
        case .capacity(let entry): .capacity(CapacityDay(entry))
        case .removed(let row): row.change
        case .end: nil
        }
    }
}

extension RemovedRow {
    fileprivate var change: HistoryChange? {
        let key = Identifier<Never>(rawValue: id).description
        switch kind {
        case "employee": return .employeeRemoved(id: key)
        case "project": return .projectRemoved(id: key)
        case "allocation": return .allocationRemoved(id: key)
        case "capacity":
            return date.map { .capacityRemoved(employee: key, day: $0.secondsSince1970) }
        default: return nil
        }
    }
}

extension CivilDate {
    /// Midnight UTC at the start of the day, in Forecasting's unit.
    public var secondsSince1970: Double { Double(daysSinceEpoch) * 86_400 }
}

extension EmployeeFacts {
    public init(_ employee: HistoryEmployee) {
        self.init(id: employee.id.description, weeklyCapacityHours: employee.weeklyCapacityHours)
    }
}

extension ProjectFacts {
    public init(_ project: HistoryProject) {
        self.init(
            id: project.id.description, status: Status(project.status),
            completionPercent: project.completionPercentage, start: project.startDate?.secondsSince1970,
            estimatedEnd: project.estimatedEndDate?.secondsSince1970, end: project.endDate?.secondsSince1970)
    }
}

extension ProjectFacts.Status {
    init(_ status: ProjectStatus) {
        self =
            switch status {
            case .planned: .planned
            case .inProgress: .inProgress
            case .onHold: .onHold
            case .completed: .completed
            case .cancelled: .cancelled
            }
    }
}

extension CapacityDay {
    public init(_ entry: CapacityEntry) {
        self.init(
            employee: entry.employeeId.description, day: entry.date.secondsSince1970, utilisation: entry.utilizationRate
        )
    }
}

extension Forecasting.Allocation {
    public init(_ allocation: Contracts.Allocation) {
        self.init(
            id: allocation.id.description, employee: allocation.employeeId.description,
            project: allocation.projectId.description, skills: allocation.requiredSkills, labels: allocation.labels,
            plannedHours: allocation.plannedHours ?? 0,
            // 0 % is how an unknown share was imported; nobody is allocated to nothing.
            allocationPercent: allocation.allocationPercentage.flatMap { $0 > 0 ? $0 : nil },
            actualHours: allocation.actualHours, start: allocation.startDate.secondsSince1970,
            plannedEnd: allocation.endDate?.secondsSince1970, decidedAt: allocation.createdAt.timeIntervalSince1970,
            completedAt: allocation.completedAt?.timeIntervalSince1970)
    }
}
