import Contracts
import Forecasting

// A dataset has millions of lines, nearly all of them allocations and capacity days: these are written and read by hand.

extension DatasetLine {
    public init(parsing line: some Collection<UInt8>) throws {
        self = try LineScanner.scan(line, Self.usual) ?? WireJSON.decode(from: line)
    }

    public func write(to bytes: inout [UInt8]) throws { try LineWriter.write(self, to: &bytes) { $0.write(self) } }

    private static func usual(_ scanner: inout LineScanner) -> DatasetLine? {
        if scanner.take(#"{"allocation":{"#) { return scanner.allocation().map(DatasetLine.allocation) }
        if scanner.take(#"{"capacity":{"#) { return scanner.capacity().map(DatasetLine.capacity) }
        return nil
    }
}

extension LineWriter {
    /// Whether it is a kind of line that is written by hand.
    fileprivate mutating func write(_ line: DatasetLine) -> Bool {
        switch line {
        case .allocation(let allocation):
            text(#"{"allocation":{"#)
            fields(of: allocation)
        case .capacity(let day):
            text(#"{"capacity":{"#)
            field("day", day.day)
            field("employee", day.employee)
            field("utilisation", day.utilisation)
        case .employee, .project: return false
        }
        text("}}")
        return true
    }

    private mutating func fields(of allocation: Forecasting.Allocation) {
        field("actualHours", allocation.actualHours)
        field("allocationPercent", allocation.allocationPercent)
        field("cancelledAt", allocation.cancelledAt)
        field("completedAt", allocation.completedAt)
        field("decidedAt", allocation.decidedAt)
        field("employee", allocation.employee)
        field("evidence", allocation.evidence?.rawValue)
        field("hoursPerDay", allocation.hoursPerDay)
        field("id", allocation.id)
        field("labels", allocation.labels)
        field("plannedEnd", allocation.plannedEnd)
        field("plannedHours", allocation.plannedHours)
        field("project", allocation.project)
        field("skills", allocation.skills)
        field("softSince", allocation.softSince)
        field("start", allocation.start)
        field("title", allocation.title)
    }
}

extension LineScanner {
    fileprivate mutating func allocation() -> Forecasting.Allocation? {
        let actualHours = number("actualHours")
        let percent = number("allocationPercent")
        let cancelledAt = number("cancelledAt")
        let completedAt = number("completedAt")
        let decidedAt = number("decidedAt")
        let employee = string("employee")
        let evidence = string("evidence")
        let hoursPerDay = number("hoursPerDay")
        let id = string("id")
        let labels = pairs("labels")
        let plannedEnd = number("plannedEnd")
        let plannedHours = number("plannedHours")
        let project = string("project")
        let skills = strings("skills")
        let softSince = number("softSince")
        let start = number("start")
        let title = string("title")
        guard ends(with: "}}"), let decidedAt, let employee, let id, let labels, let plannedHours, let project,
            let skills
        else { return nil }
        return Forecasting.Allocation(
            id: id, employee: employee, project: project, skills: skills, labels: labels, plannedHours: plannedHours,
            allocationPercent: percent, actualHours: actualHours, start: start, plannedEnd: plannedEnd,
            decidedAt: decidedAt, completedAt: completedAt, evidence: evidence.flatMap(DecisionEvidence.init),
            title: title, cancelledAt: cancelledAt, hoursPerDay: hoursPerDay,
            softSince: softSince)
    }

    fileprivate mutating func capacity() -> CapacityDay? {
        let day = number("day")
        let employee = string("employee")
        let utilisation = number("utilisation")
        guard ends(with: "}}"), let day, let employee, let utilisation else { return nil }
        return CapacityDay(employee: employee, day: day, utilisation: utilisation)
    }
}
