import Contracts
import Forecasting
import HistoryFeed

/// What this node knows of one tenant: the history that forecasts are made from, and the people and work around it.
struct TenantKnowledge: Sendable {
    private(set) var history = History()
    private(set) var employees: [EmployeeID: HistoryEmployee] = [:]
    private(set) var projects: [ProjectID: HistoryProject] = [:]
    private(set) var loads: [EmployeeID: PersonLoads] = [:]
    private var employeeOfLoad: [AllocationID: EmployeeID] = [:]
    /// Where the feed goes on; nil before the first whole one.
    private(set) var watermark: String?

    init() {}

    /// Takes in what changed since the watermark, of one complete feed.
    mutating func take(_ lines: [HistoryLine], watermark: String) {
        history.apply(lines.lazy.compactMap(\.change))
        for line in lines { note(line) }
        self.watermark = watermark
    }

    /// A feed of everything as its lines come, so that they are not all held beside what they make.
    struct Intake: Sendable {
        private var history = HistoryIntake()
        /// Everything but the history.
        private var knowledge = TenantKnowledge()

        mutating func take(_ line: HistoryLine) {
            if let change = line.change { history.take(change) }
            knowledge.note(line)
        }

        /// What is known from the complete feed; the intake begins anew.
        mutating func finish(watermark: String) -> TenantKnowledge {
            defer { self = Intake() }
            knowledge.history = history.finish()
            knowledge.watermark = watermark
            return knowledge
        }
    }

    private mutating func note(_ line: HistoryLine) {
        switch line {
        case .employee(let employee): employees[employee.id] = employee
        case .project(let project): projects[project.id] = project
        case .allocation(let allocation):
            forget(allocation.id)
            loads[allocation.employeeId, default: PersonLoads()][allocation.id] = Load(allocation)
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
