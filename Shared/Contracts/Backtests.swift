public import Foundation

/// `POST /backtests`: replays a span of the tenant's past. Everything decided in it is asked about as it was decided, by models
/// that are fitted again along the way to what was known by then; by the baseline while that is too little for a model.
public struct CreateBacktestRequest: RequestPayload {
    /// Decisions from this moment on …
    public let from: Date
    /// … to before this one; nil for now.
    public let to: Date?
    /// How often models are fitted along the span, 1…24; nil for 4.
    public let refits: Int?
    /// false asks without the planned hours; nil for true.
    public let withPlan: Bool?
    /// Passes of the networks over the data at each fit, 10…200; nil for 20.
    public let epochs: Int?
    /// Makes the back-test reproducible; nil for one drawn at random and reported.
    public let seed: Int?

    public init(
        from: Date, to: Date? = nil, refits: Int? = nil, withPlan: Bool? = nil, epochs: Int? = nil, seed: Int? = nil
    ) {
        self.from = from
        self.to = to
        self.refits = refits
        self.withPlan = withPlan
        self.epochs = epochs
        self.seed = seed
    }

    public func validate(_ validation: inout Validation) {
        validation.require(to.map { from < $0 } ?? true, "to", "must be after from")
        validation.range(refits, 1...24, "refits")
        validation.range(epochs, 10...200, "epochs")
        validation.notNegative(seed, "seed")
    }
}

/// `GET /backtests`, `GET /backtests/{backtestId}`.
public struct BacktestJob: Codable, Sendable {
    public let id: JobID
    public let status: TrainingJobStatus
    /// What it does now, in words.
    public let stage: String
    public let from: Date
    public let to: Date
    public let refits: Int
    public let withPlan: Bool
    public let epochs: Int
    public let seed: Int
    /// Forecasts are compared with the outcomes known at this moment.
    public let asOf: Date
    public let createdAt: Date
    public let startedAt: Date?
    public let finishedAt: Date?
    /// In a planner's words; nil unless failed.
    public let error: String?
    /// What it came to in words; nil before it has succeeded.
    public let card: String?
    /// Its figures, as Forecasting reports them; nil in lists and before it has succeeded.
    public let report: JSONValue?

    public init(
        id: JobID, status: TrainingJobStatus, stage: String, from: Date, to: Date, refits: Int, withPlan: Bool,
        epochs: Int, seed: Int, asOf: Date, createdAt: Date, startedAt: Date?, finishedAt: Date?, error: String?,
        card: String?, report: JSONValue?
    ) {
        self.id = id
        self.status = status
        self.stage = stage
        self.from = from
        self.to = to
        self.refits = refits
        self.withPlan = withPlan
        self.epochs = epochs
        self.seed = seed
        self.asOf = asOf
        self.createdAt = createdAt
        self.startedAt = startedAt
        self.finishedAt = finishedAt
        self.error = error
        self.card = card
        self.report = report
    }
}
