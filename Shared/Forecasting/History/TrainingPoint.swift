/// One completed allocation: a training point (docs/architecture.md#what-is-learned). It holds outcomes: nothing in it
/// may be used as a feature.
public struct TrainingPoint: Sendable, Codable, Equatable {
    /// Where `actualHours` come from, in order of preference.
    public enum HoursSource: String, Sendable, Codable, CaseIterable {
        case recorded
        /// Allocated hours × mean utilisation over the allocation's days ÷ 100.
        case utilisation
        /// Allocated hours: nothing better is known, so the plan cannot be judged by this row.
        case planned
    }

    public var allocationID: String
    public var employeeID: String
    public var projectID: String
    public var skills: [String]
    /// Percent, 0…100; nil when unknown.
    public var allocationPercentage: Double?
    public var actualHours: Double
    public var hoursSource: HoursSource
    /// 100 project completed by its estimated end, 80 completed later, 60 in progress and not past its estimated end, else 40.
    public var performanceScore: Double
    /// The project's completion percentage, 0…100; nil when unknown.
    public var completionRate: Double?
    /// The moment of the decision, seconds since 1970.
    public var timestamp: Double
    /// Nil when there was no plan.
    public var plannedHours: Double?
    public var start: Double?
    public var completedAt: Double
    /// Finished within the planned hours; nil unless both plan and actual hours were recorded.
    public var success: Bool?
}

/// How to tell a project's performance score from its dates and status.
enum PerformanceScore {
    /// - Parameter status: nil where only what the dates say as of the moment may count, since the status bears no date.
    static func score(_ project: ProjectFacts.Dates?, status: ProjectFacts.Status? = nil, at moment: Double) -> Double {
        guard let project else { return 40 }
        let ended: Double? = project.end.flatMap { $0 < moment ? $0 : nil }
        if ended != nil || status == .completed {
            guard let estimated = project.estimatedEnd, let ended else { return ended == nil ? 80 : 100 }
            return dayNumber(ended) <= dayNumber(estimated) ? 100 : 80
        }
        if let status, status != .inProgress { return 40 }
        if let start = project.start, start > moment { return 40 }
        guard let estimated = project.estimatedEnd else { return 60 }
        return dayNumber(moment) <= dayNumber(estimated) ? 60 : 40
    }

    private static func dayNumber(_ seconds: Double) -> Int { Int((seconds / 86_400).rounded(.down)) }
}
