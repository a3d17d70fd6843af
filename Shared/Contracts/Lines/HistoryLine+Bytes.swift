// Nearly all lines of a history are allocations and days of capacity: these are written and read by hand.

extension HistoryLine {
    public init(parsing line: some Collection<UInt8>) throws {
        self = try LineScanner.scan(line, Self.usual) ?? WireJSON.decode(from: line)
    }

    public func write(to bytes: inout [UInt8]) throws { try LineWriter.write(self, to: &bytes) { $0.write(self) } }

    private static func usual(_ scanner: inout LineScanner) -> HistoryLine? {
        if scanner.take(#"{"allocation":{"_0":{"#) { return scanner.allocation().map(HistoryLine.allocation) }
        if scanner.take(#"{"capacity":{"_0":{"#) { return scanner.capacity().map(HistoryLine.capacity) }
        return nil
    }
}

extension LineWriter {
    /// Whether it is a kind of line that is written by hand.
    fileprivate mutating func write(_ line: HistoryLine) -> Bool {
        switch line {
        case .allocation(let allocation):
            guard allocation.leastLevels == nil, allocation.decided == nil, allocation.earlier == nil else {
                return false
            }
            text(#"{"allocation":{"_0":{"#)
            fields(of: allocation)
        case .capacity(let entry):
            text(#"{"capacity":{"_0":{"#)
            field("date", entry.date)
            field("employeeId", entry.employeeId)
            field("utilizationRate", entry.utilizationRate)
        case .calendar, .employee, .project, .removed, .end: return false
        }
        text("}}}")
        return true
    }

    private mutating func fields(of allocation: Allocation) {
        field("actualHours", allocation.actualHours)
        field("allocatedHours", allocation.allocatedHours)
        field("allocationPercentage", allocation.allocationPercentage)
        field("commitment", allocation.commitment.rawValue)
        field("completedAt", allocation.completedAt)
        field("createdAt", allocation.createdAt)
        field("employeeId", allocation.employeeId)
        field("endDate", allocation.endDate)
        field("externalId", allocation.externalId)
        field("hoursPerDay", allocation.hoursPerDay)
        field("id", allocation.id)
        field("isCancelled", allocation.isCancelled)
        field("isHistoryKnown", allocation.isHistoryKnown)
        field("labels", allocation.labels)
        field("plannedHours", allocation.plannedHours)
        field("projectId", allocation.projectId)
        field("recordedAt", allocation.recordedAt)
        field("requiredSkills", allocation.requiredSkills)
        field("startDate", allocation.startDate)
        field("title", allocation.title)
    }
}

extension LineScanner {
    fileprivate mutating func allocation() -> Allocation? {
        let actualHours = number("actualHours")
        let allocatedHours = number("allocatedHours")
        let percentage = number("allocationPercentage")
        let commitment = string("commitment").flatMap(Commitment.init(rawValue:))
        let completedAt = date("completedAt")
        let createdAt = date("createdAt")
        let employee: EmployeeID? = identifier("employeeId")
        let endDate = civilDate("endDate")
        let externalID = string("externalId")
        let hoursPerDay = number("hoursPerDay")
        let id: AllocationID? = identifier("id")
        let isCancelled = bool("isCancelled")
        let isHistoryKnown = bool("isHistoryKnown")
        let labels = pairs("labels")
        let plannedHours = number("plannedHours")
        let project: ProjectID? = identifier("projectId")
        let recordedAt = date("recordedAt")
        let skills = strings("requiredSkills")
        let startDate = civilDate("startDate")
        let title = string("title")
        guard ends(with: "}}}"), let commitment, let createdAt, let employee, let externalID, let id, let isCancelled,
            let labels, let project, let recordedAt, let skills, let startDate
        else { return nil }
        return Allocation(
            id: id, externalId: externalID, employeeId: employee, projectId: project,
            allocationPercentage: percentage, allocatedHours: allocatedHours, hoursPerDay: hoursPerDay,
            plannedHours: plannedHours, actualHours: actualHours, commitment: commitment, isCancelled: isCancelled,
            title: title, requiredSkills: skills, labels: labels, startDate: startDate, endDate: endDate,
            completedAt: completedAt, createdAt: createdAt, recordedAt: recordedAt, isHistoryKnown: isHistoryKnown)
    }

    fileprivate mutating func capacity() -> CapacityEntry? {
        let date = civilDate("date")
        let employee: EmployeeID? = identifier("employeeId")
        let rate = number("utilizationRate")
        guard ends(with: "}}}"), let date, let employee, let rate else { return nil }
        return CapacityEntry(employeeId: employee, date: date, utilizationRate: rate)
    }
}
