// Nearly all lines of a history are allocations, edited or not, and days of capacity: these are written and read by hand.

extension HistoryLine {
    public init(parsing line: some Collection<UInt8>) throws {
        self = try Self.byHand(line) ?? WireJSON.decode(from: line)
    }

    /// nil for a line that the JSON decoder has to read.
    package static func byHand(_ line: some Collection<UInt8>) -> HistoryLine? { LineScanner.scan(line, usual) }

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
        if let decided = allocation.decided { field("decided") { $0.fields(of: decided) } }
        if let earlier = allocation.earlier { field("earlier", earlier) { $0.fields(of: $1) } }
        field("employeeId", allocation.employeeId)
        field("endDate", allocation.endDate)
        field("externalId", allocation.externalId)
        field("hoursPerDay", allocation.hoursPerDay)
        field("id", allocation.id)
        field("isCancelled", allocation.isCancelled)
        field("isHistoryKnown", allocation.isHistoryKnown)
        field("labels", allocation.labels)
        field("leastLevels", allocation.leastLevels)
        field("plannedHours", allocation.plannedHours)
        field("projectId", allocation.projectId)
        field("recordedAt", allocation.recordedAt)
        field("requiredSkills", allocation.requiredSkills)
        field("startDate", allocation.startDate)
        field("title", allocation.title)
    }

    private mutating func fields(of decided: DecidedAllocation) {
        field("allocationPercentage", decided.allocationPercentage)
        field("decidedAt", decided.decidedAt)
        if let employee = decided.employeeId { field("employeeId", employee) }
        field("endDate", decided.endDate)
        field("hoursPerDay", decided.hoursPerDay)
        field("labels", decided.labels)
        field("plannedHours", decided.plannedHours)
        if let project = decided.projectId { field("projectId", project) }
        field("requiredSkills", decided.requiredSkills)
        field("startDate", decided.startDate)
        field("title", decided.title)
    }

    private mutating func fields(of version: EarlierBooking) {
        field("allocatedHours", version.allocatedHours)
        field("allocationPercentage", version.allocationPercentage)
        field("commitment", version.commitment.rawValue)
        field("employeeId", version.employeeId)
        field("endDate", version.endDate)
        field("hoursPerDay", version.hoursPerDay)
        field("isCancelled", version.isCancelled)
        field("projectId", version.projectId)
        field("startDate", version.startDate)
        field("validFrom", version.validFrom)
        field("validUntil", version.validUntil)
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
        let decided = object("decided") { $0.decided() }
        let earlier = objects("earlier") { $0.earlier() }
        let employee: EmployeeID? = identifier("employeeId")
        let endDate = civilDate("endDate")
        let externalID = string("externalId")
        let hoursPerDay = number("hoursPerDay")
        let id: AllocationID? = identifier("id")
        let isCancelled = bool("isCancelled")
        let isHistoryKnown = bool("isHistoryKnown")
        let labels = pairs("labels")
        let leastLevels = counts("leastLevels")
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
            title: title, requiredSkills: skills, leastLevels: leastLevels, labels: labels, startDate: startDate,
            endDate: endDate, completedAt: completedAt, createdAt: createdAt, recordedAt: recordedAt,
            isHistoryKnown: isHistoryKnown, decided: decided, earlier: earlier)
    }

    private mutating func decided() -> DecidedAllocation? {
        let percentage = number("allocationPercentage")
        let decidedAt = date("decidedAt")
        let employee: EmployeeID? = identifier("employeeId")
        let endDate = civilDate("endDate")
        let hoursPerDay = number("hoursPerDay")
        let labels = pairs("labels")
        let plannedHours = number("plannedHours")
        let project: ProjectID? = identifier("projectId")
        let skills = strings("requiredSkills")
        let startDate = civilDate("startDate")
        let title = string("title")
        guard let decidedAt, let labels, let skills, let startDate else { return nil }
        return DecidedAllocation(
            decidedAt: decidedAt, plannedHours: plannedHours, hoursPerDay: hoursPerDay,
            allocationPercentage: percentage, title: title, requiredSkills: skills, labels: labels,
            startDate: startDate, endDate: endDate, employeeId: employee, projectId: project)
    }

    private mutating func earlier() -> EarlierBooking? {
        let allocatedHours = number("allocatedHours")
        let percentage = number("allocationPercentage")
        let commitment = string("commitment").flatMap(Commitment.init(rawValue:))
        let employee: EmployeeID? = identifier("employeeId")
        let endDate = civilDate("endDate")
        let hoursPerDay = number("hoursPerDay")
        let isCancelled = bool("isCancelled")
        let project: ProjectID? = identifier("projectId")
        let startDate = civilDate("startDate")
        let validFrom = date("validFrom")
        let validUntil = date("validUntil")
        guard let commitment, let employee, let isCancelled, let project, let startDate, let validFrom, let validUntil
        else { return nil }
        return EarlierBooking(
            validFrom: validFrom, validUntil: validUntil, employeeId: employee, projectId: project,
            allocatedHours: allocatedHours, hoursPerDay: hoursPerDay, allocationPercentage: percentage,
            commitment: commitment, isCancelled: isCancelled, startDate: startDate, endDate: endDate)
    }

    fileprivate mutating func capacity() -> CapacityEntry? {
        let date = civilDate("date")
        let employee: EmployeeID? = identifier("employeeId")
        let rate = number("utilizationRate")
        guard ends(with: "}}}"), let date, let employee, let rate else { return nil }
        return CapacityEntry(employeeId: employee, date: date, utilizationRate: rate)
    }
}
