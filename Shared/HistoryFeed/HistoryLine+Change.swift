public import Contracts
public import Forecasting
import FoundationEssentials

// The one translation from what tenant-admin sends to what Forecasting knows, used for training and for serving: were
// there two, a model would be asked about a world other than the one it learned from.

extension HistoryLine {
    /// What the line changes in a `History`; nil for calendars, for `end` and for kinds of removal a later version may add.
    public var change: HistoryChange? {
        switch self {
        case .employee(let employee): .employee(EmployeeFacts(employee))
        case .project(let project): .project(ProjectFacts(project))
        case .allocation(let allocation): .allocation(Forecasting.Allocation(allocation))
        case .capacity(let entry): .capacity(CapacityDay(entry))
        case .removed(let row): row.change
        case .calendar, .end: nil
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
        let contracts = (employee.time?.contracts ?? []).map { contract in
            ContractFacts(
                from: contract.from?.secondsSince1970, weeklyHours: Double(contract.weekdayMinutes.reduce(0, +)) / 60)
        }
        self.init(
            id: employee.id.description, weeklyCapacityHours: employee.weeklyCapacityHours,
            contracts: contracts.count > 1 ? contracts : nil)
    }
}

extension ProjectFacts {
    public init(_ project: HistoryProject) {
        self.init(
            id: project.id.description, status: Status(project.status),
            completionPercent: project.completionPercentage, start: project.startDate?.secondsSince1970,
            estimatedEnd: project.estimatedEndDate?.secondsSince1970, end: project.endDate?.secondsSince1970,
            earlier: project.earlierVersions?.map(EarlierDates.init),
            closedSince: project.closedSince?.timeIntervalSince1970)
    }
}

extension ProjectFacts.EarlierDates {
    init(_ version: ProjectVersion) {
        self.init(
            until: version.validUntil.timeIntervalSince1970,
            dates: ProjectFacts.Dates(
                start: version.startDate?.secondsSince1970, estimatedEnd: version.estimatedEndDate?.secondsSince1970,
                end: version.endDate?.secondsSince1970))
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
    /// The decision as first made, whatever the booking says today, and the outcome as it is known today.
    public init(_ allocation: Contracts.Allocation) {
        let decided = allocation.decided ?? DecidedAllocation(asItStands: allocation)
        self.init(
            id: allocation.id.description, employee: (decided.employeeId ?? allocation.employeeId).description,
            project: (decided.projectId ?? allocation.projectId).description, skills: decided.requiredSkills,
            labels: decided.labels,
            plannedHours: decided.plannedHours ?? 0,
            // An unknown share was imported as 0 %; no booking is for 0 %.
            allocationPercent: decided.allocationPercentage.flatMap { $0 > 0 ? $0 : nil },
            actualHours: allocation.actualHours, start: decided.startDate.secondsSince1970,
            plannedEnd: decided.endDate?.secondsSince1970, decidedAt: decided.decidedAt.timeIntervalSince1970,
            completedAt: allocation.completedAt?.timeIntervalSince1970, evidence: DecisionEvidence(allocation),
            title: decided.title, cancelledAt: allocation.cancelledSince?.timeIntervalSince1970,
            hoursPerDay: decided.hoursPerDay.flatMap { $0 > 0 ? $0 : nil },
            softSince: allocation.softSince?.timeIntervalSince1970)
        if evidence == .unknown { forgetAllButThePlan() }
    }

    private mutating func forgetAllButThePlan() {
        skills = []
        labels = [:]
        allocationPercent = nil
        hoursPerDay = nil
        start = nil
        plannedEnd = nil
        title = nil
    }
}

extension DecisionEvidence {
    /// Bookings are entered some time after their decision.
    private static let allowedDelay: TimeInterval = 86_400

    /// nil for ``observed``, which needs no room in a line.
    fileprivate init?(_ allocation: Contracts.Allocation) {
        if allocation.isHistoryKnown == false {
            self = .unknown
        } else if allocation.recordedAt.timeIntervalSince(allocation.createdAt) > Self.allowedDelay {
            self = .stated
        } else {
            return nil
        }
    }
}

extension Contracts.Allocation {
    /// Since when it is cancelled; its decision where it was never seen otherwise.
    fileprivate var cancelledSince: Date? {
        guard isCancelled else { return nil }
        return earlier?.last { !$0.isCancelled }?.validUntil ?? decided?.decidedAt ?? createdAt
    }

    /// Since when it is tentative; its decision where it was never seen otherwise.
    fileprivate var softSince: Date? {
        guard commitment == .soft else { return nil }
        return earlier?.last { $0.commitment != .soft }?.validUntil ?? decided?.decidedAt ?? createdAt
    }
}

extension HistoryProject {
    /// Since when it is completed or cancelled; nil where it is neither, and where its versions never say otherwise.
    fileprivate var closedSince: Date? {
        guard status.isClosed else { return nil }
        return earlierVersions?.last { $0.status?.isClosed == false }?.validUntil
    }
}

extension ProjectStatus {
    fileprivate var isClosed: Bool { self == .completed || self == .cancelled }
}

extension DecidedAllocation {
    /// Of a booking that has not been edited.
    fileprivate init(asItStands allocation: Contracts.Allocation) {
        self.init(
            decidedAt: allocation.createdAt, plannedHours: allocation.plannedHours, hoursPerDay: allocation.hoursPerDay,
            allocationPercentage: allocation.allocationPercentage, title: allocation.title,
            requiredSkills: allocation.requiredSkills, labels: allocation.labels, startDate: allocation.startDate,
            endDate: allocation.endDate)
    }
}
