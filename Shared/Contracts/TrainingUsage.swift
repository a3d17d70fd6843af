/// `GET /training/usage`: what training has taken of the tenant's plan in this calendar month (UTC).
public struct TrainingUsage: Codable, Sendable, Equatable {
    /// `2026-11`
    public let month: String
    /// Time that workers spent on jobs first taken up in this month, failed and cancelled ones included.
    public let usedHours: Double
    /// Queued and running jobs.
    public let openJobs: Int
    /// What the open jobs will still take, from the measured speed of earlier ones; 0 before the first was measured.
    public let reservedHours: Double
    /// The plan's `ml_training_hours`.
    public let allowedHours: Int
    /// What a new job may begin with; 0 means that none is accepted.
    public let remainingHours: Double

    public init(month: String, usedHours: Double, openJobs: Int, reservedHours: Double, allowedHours: Int) {
        self.month = month
        self.usedHours = usedHours
        self.openJobs = openJobs
        self.reservedHours = reservedHours
        self.allowedHours = allowedHours
        self.remainingHours = max(0, Double(allowedHours) - usedHours - reservedHours)
    }
}
