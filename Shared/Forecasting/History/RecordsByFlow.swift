/// The dates of projects and the capacity of people, by the numbers of their flows.
struct RecordsByFlow {
    private var projects: [ProjectFacts.Dates?]
    /// Of the few projects whose dates were edited.
    private var earlier: [Int: [ProjectFacts.EarlierDates]] = [:]
    private var weeklyHours: [Double]
    /// Of the few people whose contract has changed.
    private var changing: [Int: EmployeeFacts] = [:]

    init(flows count: Int) {
        projects = [ProjectFacts.Dates?](repeating: nil, count: count)
        weeklyHours = [Double](repeating: EmployeeFacts.usualWeeklyCapacityHours, count: count)
    }

    mutating func put(_ project: ProjectFacts, at flow: Int) {
        projects[flow] = project.dates
        if let versions = project.earlier, !versions.isEmpty { earlier[flow] = versions }
    }

    /// A project's dates as they stood at a moment; nil for a project that is not on record.
    func dates(ofProject flow: Int, at moment: Double) -> ProjectFacts.Dates? {
        guard let present = projects[flow], !earlier.isEmpty, let versions = earlier[flow] else {
            return projects[flow]
        }
        return ProjectFacts.dates(present, earlier: versions, at: moment)
    }

    mutating func put(_ employee: EmployeeFacts, at flow: Int) {
        weeklyHours[flow] = employee.weeklyCapacityHours
        if employee.contracts != nil { changing[flow] = employee }
    }

    /// A person's hours a week under the contract in force at a moment.
    func weeklyHours(ofPerson flow: Int, at moment: Double) -> Double {
        guard !changing.isEmpty, let employee = changing[flow] else { return weeklyHours[flow] }
        return employee.weeklyCapacityHours(at: moment)
    }
}
