/// An answer, as of the decision's moment.
public struct Forecast: Sendable, Codable, Equatable {
    /// A range of hours that holds with probability `level` percent.
    public struct Interval: Sendable, Codable, Equatable {
        public var level: Int
        public var low: Double
        public var high: Double
    }

    /// What moved the estimate away from the usual.
    public struct Effect: Sendable, Codable, Equatable {
        /// What it is put down to, as a stable name, e.g. `this person's tasks of this kind`.
        public var feature: String
        /// What is known of that, in a sentence for a planner.
        public var text: String
        /// What this multiplies hours by; the factors of all effects lead from ``Forecast/explanationBase`` to the estimate.
        public var factor: Double
    }

    /// The median, in hours.
    public var hours: Double
    /// 80 and 90 % ranges; empty when the model had too few rows to calibrate them ("cannot say").
    public var intervals: [Interval]
    /// Calibrated probability of finishing within the planned hours; without a plan, within the plan that such work usually
    /// gets. Nil when too few allocations with plans were seen, and when about half of the plans are kept and nothing tells which.
    public var successProbability: Double?
    /// Calibrated probability, in percent, that the actual hours lie within 25 % of `hours`.
    public var confidence: Double
    /// Hours that the explanation starts from: the plan, or what all such work usually takes.
    public var explanationBase: Double
    /// Largest effects first, then all others together; empty when the answer is the base itself.
    public var explanation: [Effect]
    /// Which candidate answered, e.g. `ensemble`.
    public var kind: String
    /// False when nothing is known of this person yet, and the answer is that of their peers.
    public var knowsEmployee: Bool

    /// The range of the given level in percent.
    public func interval(_ level: Int) -> Interval? { intervals.first { $0.level == level } }
}
