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
    private(set) var entries: [HistoryEntry] = []
    /// Beside the entries, what medians are taken of.
    private(set) var targets: [OutcomeTarget] = []
    var slotOfID: [String: Int32] = [:]
    private var freeSlots: [Int32] = []
    var series: [GroupSeries] = []
    var flows: [FlowSeries] = []
    var everything = GroupSeries()
    var index = GroupIndex()
    private var projects: [String: ProjectFacts] = [:]
    private var employees: [String: EmployeeFacts] = [:]
    /// Employee → day number → utilisation percent.
    private var capacity: [String: [Int: Double]] = [:]
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
        load(allocations)
    }

    /// How many allocations are known, finished or not.
    public var allocationCount: Int { slotOfID.count }

    public func allocation(id: String) -> Allocation? { slotOfID[id].map { entries[Int($0)].allocation } }

    /// All allocations by time of decision, then id.
    public var allocations: [Allocation] {
        orderedSlots().map { entries[Int($0)].allocation }
    }

    public func project(_ id: String) -> ProjectFacts? { projects[id] }
    public func employee(_ id: String) -> EmployeeFacts? { employees[id] }

    public mutating func apply(_ change: HistoryChange) {
        switch change {
        case .allocation(let allocation):
            remove(id: allocation.id)
            insert(allocation)
        case .allocationRemoved(let id): remove(id: id)
        case .project(let facts): projects[facts.id] = facts
        case .projectRemoved(let id): projects[id] = nil
        case .employee(let facts): employees[facts.id] = facts
        case .employeeRemoved(let id): employees[id] = nil
        case .capacity(let day):
            capacity[day.employee, default: [:]][Self.dayNumber(day.day)] = day.utilisation
            deriveAgain(employee: day.employee)
        case .capacityRemoved(let employee, let day):
            capacity[employee]?[Self.dayNumber(day)] = nil
            deriveAgain(employee: employee)
        }
    }

    /// Slots in use, by time of decision, then id.
    func orderedSlots() -> [Int32] {
        slotOfID.values.sorted {
            let (a, b) = (entries[Int($0)].allocation, entries[Int($1)].allocation)
            return a.decidedAt != b.decidedAt ? a.decidedAt < b.decidedAt : a.id < b.id
        }
    }

    static func dayNumber(_ seconds: Double) -> Int { Int((seconds / 86_400).rounded(.down)) }
}

// MARK: Changing

extension History {
    private mutating func load(_ allocations: [Allocation]) {
        entries.reserveCapacity(allocations.count)
        for allocation in allocations {
            if let slot = slotOfID[allocation.id] {
                store(makeEntry(allocation), at: slot)
            } else {
                slotOfID[allocation.id] = Int32(entries.count)
                store(makeEntry(allocation), at: Int32(entries.count))
            }
        }
        for (slot, entry) in entries.enumerated() {
            noteUnrecorded(Int32(slot))
            forEachFlow(of: entry) {
                flows[$0].appendUnsorted(decidedAt: entry.allocation.decidedAt, doneAt: entry.allocation.completedAt)
            }
        }
        for index in flows.indices { flows[index].sort() }
        let finished = entries.indices.filter { entries[$0].outcomeTime != nil }
            .sorted { entries[$0].completes(before: entries[$1]) }
        for slot in finished {
            let entry = entries[slot]
            let time = entry.outcomeTime ?? 0
            everything.append(time: time, slot: Int32(slot), lanes: entry.lanes)
            entry.groups.forEach { series[Int($0)].append(time: time, slot: Int32(slot), lanes: entry.lanes) }
        }
    }

    private mutating func insert(_ allocation: Allocation) {
        let entry = makeEntry(allocation)
        let slot = freeSlots.popLast() ?? Int32(entries.count)
        store(entry, at: slot)
        slotOfID[allocation.id] = slot
        noteUnrecorded(slot)
        forEachFlow(of: entry) {
            flows[$0].insert(decidedAt: entry.allocation.decidedAt, doneAt: entry.allocation.completedAt)
        }
        link(slot)
    }

    /// Puts an entry into a slot in use, or into the first new one.
    private mutating func store(_ entry: HistoryEntry, at slot: Int32) {
        if Int(slot) < entries.count {
            entries[Int(slot)] = entry
            targets[Int(slot)] = entry.target
        } else {
            entries.append(entry)
            targets.append(entry.target)
        }
    }

    private mutating func remove(id: String) {
        guard let slot = slotOfID.removeValue(forKey: id) else { return }
        unlink(slot)
        let entry = entries[Int(slot)]
        forEachFlow(of: entry) {
            flows[$0].remove(decidedAt: entry.allocation.decidedAt, doneAt: entry.allocation.completedAt)
        }
        unrecorded[entry.allocation.employee]?.remove(slot)
        freeSlots.append(slot)
    }

    private mutating func link(_ slot: Int32) {
        guard entries[Int(slot)].outcomeTime != nil else { return }
        everything.insert(slot: slot, entries: entries)
        entries[Int(slot)].groups.forEach { series[Int($0)].insert(slot: slot, entries: entries) }
    }

    private mutating func unlink(_ slot: Int32) {
        guard entries[Int(slot)].outcomeTime != nil else { return }
        everything.remove(slot: slot, entries: entries)
        entries[Int(slot)].groups.forEach { series[Int($0)].remove(slot: slot, entries: entries) }
    }

    private func forEachFlow(of entry: HistoryEntry, _ body: (Int) -> Void) {
        if entry.groups.personFlow >= 0 { body(Int(entry.groups.personFlow)) }
        if entry.groups.projectFlow >= 0 { body(Int(entry.groups.projectFlow)) }
    }

    private mutating func makeEntry(_ given: Allocation) -> HistoryEntry {
        let allocation = given.decidedNoLaterThanCompleted
        let groups = index.resolve(creating: Decision(allocation), series: &series, flows: &flows)
        var entry = HistoryEntry(allocation: allocation, groups: groups)
        let (hours, source) = deriveHours(allocation)
        entry.setOutcome(hours: hours, source: source)
        return entry
    }

    private mutating func noteUnrecorded(_ slot: Int32) {
        let allocation = entries[Int(slot)].allocation
        guard allocation.actualHours == nil, allocation.completedAt != nil else { return }
        unrecorded[allocation.employee, default: []].insert(slot)
    }

    private mutating func deriveAgain(employee: String) {
        for slot in (unrecorded[employee] ?? []).sorted() {
            let (hours, source) = deriveHours(entries[Int(slot)].allocation)
            guard hours != entries[Int(slot)].hours || source != entries[Int(slot)].source else { continue }
            unlink(slot)
            entries[Int(slot)].setOutcome(hours: hours, source: source)
            targets[Int(slot)] = entries[Int(slot)].target
            link(slot)
        }
    }

    private func deriveHours(_ allocation: Allocation) -> (Double?, TrainingPoint.HoursSource?) {
        allocation.derivedHours(utilisation: capacity[allocation.employee])
    }
}
