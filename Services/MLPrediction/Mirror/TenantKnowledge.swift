import Contracts
import Forecasting
import HistoryFeed

/// What this node knows of one tenant: the history that forecasts are made from, and the people and work around it.
struct TenantKnowledge: Sendable {
    private(set) var history = History()
    private(set) var employees: [EmployeeID: HistoryEmployee] = [:]
    private(set) var projects: [ProjectID: HistoryProject] = [:]
    private(set) var loads: [EmployeeID: [AllocationID: Load]] = [:]
    private var employeeOfLoad: [AllocationID: EmployeeID] = [:]
    /// Where the feed goes on; nil before the first whole one.
    private(set) var watermark: String?

    init() {}

    /// Takes in one complete feed: the first as a whole, later ones change by change.
    mutating func take(_ lines: [HistoryLine], watermark: String) {
        if self.watermark == nil {
            history = Self.history(of: lines)
        } else {
            for line in lines { if let change = line.change { history.apply(change) } }
        }
        for line in lines { note(line) }
        self.watermark = watermark
    }

    /// Built at once: change by change would insert every row into sorted arrays.
    private static func history(of lines: [HistoryLine]) -> History {
        var allocations: [Forecasting.Allocation] = []
        var projects: [ProjectFacts] = []
        var employees: [EmployeeFacts] = []
        var capacity: [CapacityDay] = []
        for line in lines {
            switch line.change {
            case .allocation(let allocation): allocations.append(allocation)
            case .project(let facts): projects.append(facts)
            case .employee(let facts): employees.append(facts)
            case .capacity(let day): capacity.append(day)
            case .allocationRemoved, .projectRemoved, .employeeRemoved, .capacityRemoved, nil: break
            }
        }
        return History(allocations: allocations, projects: projects, employees: employees, capacity: capacity)
    }

    private mutating func note(_ line: HistoryLine) {
        switch line {
        case .employee(let employee): employees[employee.id] = employee
        case .project(let project): projects[project.id] = project
        case .allocation(let allocation):
            forget(allocation.id)
            loads[allocation.employeeId, default: [:]][allocation.id] = Load(allocation)
            employeeOfLoad[allocation.id] = allocation.employeeId
        case .removed(let row):
            switch row.kind {
            case "employee": employees[EmployeeID(rawValue: row.id)] = nil
            case "project": projects[ProjectID(rawValue: row.id)] = nil
            case "allocation": forget(AllocationID(rawValue: row.id))
            default: break
            }
        case .capacity, .end: break
        }
    }

    private mutating func forget(_ id: AllocationID) {
        guard let employee = employeeOfLoad.removeValue(forKey: id) else { return }
        loads[employee]?[id] = nil
    }

    /// About how much memory it takes, in rows.
    var size: Int { history.allocationCount + employees.count + projects.count }
}
