/// One change to what history knows, as a live feed brings it. Applying the same change twice is harmless.
public enum HistoryChange: Sendable, Codable, Equatable {
    case allocation(Allocation)
    case allocationRemoved(id: String)
    case project(ProjectFacts)
    case projectRemoved(id: String)
    case employee(EmployeeFacts)
    case employeeRemoved(id: String)
    case capacity(CapacityDay)
    case capacityRemoved(employee: String, day: Double)
}

/// Everything known of a tenant's allocations, arranged so that any question "as of a moment" is quick and cannot see later outcomes.
///
/// A value type with copy-on-write storage. Built at once or change by change, it answers the same.
/// An allocation whose record was made after it was completed (imported later) counts as decided at its start, at the latest at its completion.
public struct History: Sendable {
    var entries: [HistoryEntry] = []
    /// Beside the entries, what each adds to its series.
    var lanes: [OutcomeLanes] = []
    /// Beside the entries, whether the series hold it.
    var isLinked: [Bool] = []
    /// Sum of the digests of all entries that the series hold, whatever the order in which they came.
    var outcomeDigest: UInt64 = 0
    private(set) var slotOfID: [String: Int32] = [:]
    private var freeSlots: [Int32] = []
    /// Of all groups; the first is that of everything.
    var series = [GroupSeries(keepsMedians: true)]
    var flows: [FlowSeries] = []
    private(set) var index = GroupIndex()
    /// Of all outcomes that the series hold, and of no others.
    var kept = KeptFigures()
    private var projects: [String: ProjectFacts] = [:]
    private var employees: [String: EmployeeFacts] = [:]
    /// Employee → day number → utilisation percent.
    private var capacity: [String: [Int: Double]] = [:]
    private var ids = ValuePool<String>()
    private var skillLists = ValuePool<[String]>()
    private var labelSets = ValuePool<[String: String]>()
    /// Employee → entries whose hours are not recorded, and so may follow from utilisation.
    private var unrecorded: [String: Set<Int32>] = [:]

    public init() {}

    /// A history of everything at once. Of allocations with the same id, the last one counts.
    public init(
        allocations: [Allocation], projects: [ProjectFacts] = [], employees: [EmployeeFacts] = [],
        capacity: [CapacityDay] = []
    ) {
        for project in projects { self.projects[project.id] = project }
        for employee in employees { self.employees[employee.id] = employee }
        for day in capacity { self.capacity[day.employee, default: [:]][Self.dayNumber(day.day)] = day.utilisation }
        reserve(allocations: allocations.count)
        var batch = Batch()
        for allocation in allocations { put(allocation, &batch) }
        settle(batch, on: .all)
    }

    mutating func reserve(allocations count: Int) {
        entries.reserveCapacity(count)
        lanes.reserveCapacity(count)
        isLinked.reserveCapacity(count)
        slotOfID.reserveCapacity(count)
    }

    /// How many allocations are known, finished or not.
    public var allocationCount: Int { slotOfID.count }

    /// How many days of capacity are known.
    var capacityDayCount: Int { capacity.values.reduce(0) { $0 + $1.count } }

    /// How many projects and people are on record.
    var recordCount: Int { projects.count + employees.count }

    public func allocation(id: String) -> Allocation? { slotOfID[id].map { entries[Int($0)].allocation } }

    /// All allocations by time of decision, then id.
    public var allocations: [Allocation] {
        orderedSlots().map { entries[Int($0)].allocation }
    }

    public func project(_ id: String) -> ProjectFacts? { projects[id] }
    public func employee(_ id: String) -> EmployeeFacts? { employees[id] }

    /// What is on record of projects and people, by the numbers of their flows.
    func recordsByFlow() -> RecordsByFlow {
        var records = RecordsByFlow(flows: flows.count)
        for project in projects.values {
            if let flow = index.flow(ofProject: project.id) { records.put(project, at: Int(flow)) }
        }
        for employee in employees.values {
            if let flow = index.flow(ofPerson: employee.id) { records.put(employee, at: Int(flow)) }
        }
        return records
    }

    public mutating func apply(_ change: HistoryChange) { apply(CollectionOfOne(change)) }

    /// Takes in changes in their order. Many at once cost far less than one by one: what they touch is arranged once.
    public mutating func apply(_ changes: some Sequence<HistoryChange>) {
        var batch = Batch()
        for change in changes { take(change, &batch) }
        finish(&batch, on: .all)
    }

    mutating func take(_ change: HistoryChange, _ batch: inout Batch) {
        switch change {
        case .allocation(let allocation): put(allocation, &batch)
        case .allocationRemoved(let id): remove(id: id, &batch)
        case .project(let facts): projects[facts.id] = facts
        case .projectRemoved(let id): projects[id] = nil
        case .employee(let facts): employees[facts.id] = facts
        case .employeeRemoved(let id): employees[id] = nil
        case .capacity(let day):
            capacity[day.employee, default: [:]][Self.dayNumber(day.day)] = day.utilisation
            batch.employees.insert(day.employee)
        case .capacityRemoved(let employee, let day):
            capacity[employee]?[Self.dayNumber(day)] = nil
            batch.employees.insert(employee)
        }
    }

    /// Arranges what the changes taken into the batch have touched.
    mutating func finish(_ batch: inout Batch, on cores: Cores) {
        for employee in batch.employees { deriveAgain(employee: employee, &batch) }
        settle(batch, on: cores)
    }

    /// Slots in use, by time of decision, then id.
    func orderedSlots() -> [Int32] {
        let free = Set(freeSlots)
        var slots: [(decidedAt: Double, slot: Int32)] = []
        slots.reserveCapacity(slotOfID.count)
        for slot in entries.indices where !free.contains(Int32(slot)) {
            slots.append((entries[slot].allocation.decidedAt, Int32(slot)))
        }
        slots.sort { a, b in
            if a.decidedAt != b.decidedAt { return a.decidedAt < b.decidedAt }
            return entries[Int(a.slot)].allocation.id < entries[Int(b.slot)].allocation.id
        }
        return slots.map(\.slot)
    }

    static func dayNumber(_ seconds: Double) -> Int { Int((seconds / 86_400).rounded(.down)) }
}

// MARK: Changing

extension History {
    private mutating func put(_ given: Allocation, _ batch: inout Batch) {
        let entry = makeEntry(given)
        let slot: Int32
        if let known = slotOfID[given.id] {
            withdraw(known, &batch)
            slot = known
        } else {
            slot = freeSlots.popLast() ?? Int32(entries.count)
            slotOfID[given.id] = slot
        }
        if Int(slot) < entries.count {
            entries[Int(slot)] = entry
            lanes[Int(slot)] = entry.lanes
        } else {
            entries.append(entry)
            lanes.append(entry.lanes)
            isLinked.append(false)
        }
        if (entry.allocation.actualHours ?? 0) <= 0, entry.allocation.completedAt != nil {
            unrecorded[entry.allocation.employee, default: []].insert(slot)
        }
        forEachFlow(of: entry) {
            if flows[$0].isSorted { batch.flows.append($0) }
            flows[$0].append(decidedAt: entry.allocation.decidedAt, doneAt: entry.allocation.endedAt)
        }
        batch.slots.append(slot)
    }

    private mutating func remove(id: String, _ batch: inout Batch) {
        guard let slot = slotOfID.removeValue(forKey: id) else { return }
        withdraw(slot, &batch)
        entries[Int(slot)].setOutcome(hours: nil, source: nil)
        freeSlots.append(slot)
    }

    /// Takes an allocation out of all that is counted.
    private mutating func withdraw(_ slot: Int32, _ batch: inout Batch) {
        unlink(slot, &batch)
        let entry = entries[Int(slot)]
        forEachFlow(of: entry) {
            flows[$0].remove(decidedAt: entry.allocation.decidedAt, doneAt: entry.allocation.endedAt)
        }
        unrecorded[entry.allocation.employee]?.remove(slot)
    }

    private mutating func deriveAgain(employee: String, _ batch: inout Batch) {
        for slot in unrecorded[employee] ?? [] {
            let (hours, source) = deriveHours(entries[Int(slot)].allocation)
            guard hours != entries[Int(slot)].hours || source != entries[Int(slot)].source else { continue }
            unlink(slot, &batch)
            entries[Int(slot)].setOutcome(hours: hours, source: source)
            lanes[Int(slot)] = entries[Int(slot)].lanes
            batch.slots.append(slot)
        }
    }

    private func forEachFlow(of entry: HistoryEntry, _ body: (Int) -> Void) {
        if entry.groups.personFlow >= 0 { body(Int(entry.groups.personFlow)) }
        if entry.groups.projectFlow >= 0 { body(Int(entry.groups.projectFlow)) }
    }

    private mutating func makeEntry(_ given: Allocation) -> HistoryEntry {
        var allocation = given.decidedNoLaterThanCompleted
        allocation.employee = ids.shared(allocation.employee)
        allocation.project = ids.shared(allocation.project)
        allocation.skills = skillLists.shared(allocation.skills)
        allocation.labels = labelSets.shared(allocation.labels)
        let groups = index.resolve(creating: Decision(allocation), series: &series, flows: &flows)
        var entry = HistoryEntry(allocation: allocation, groups: groups)
        let (hours, source) = deriveHours(allocation)
        entry.setOutcome(hours: hours, source: source)
        return entry
    }

    private func deriveHours(_ allocation: Allocation) -> (Double?, TrainingPoint.HoursSource?) {
        allocation.derivedHours(utilisation: capacity[allocation.employee])
    }
}
