/// How well hours were forecast on a set of rows.
public struct HoursMetrics: Sendable, Codable, Equatable {
    public var count: Int
    /// Mean absolute error, hours.
    public var mae: Double
    /// Median absolute error, hours.
    public var medianAbsoluteError: Double
    /// Share of rows with |forecast − actual| ≤ 25 % of actual.
    public var pred25: Double
    /// Root mean square of log(forecast ÷ actual).
    public var logRMSE: Double
    /// 1 − MAE ÷ the exact expected MAE of guessing a random other row; nil with fewer than two rows or no spread.
    public var standardisedAccuracy: Double?
}

/// How well ranges of hours held. Widths and scores are on the natural-log scale.
public struct IntervalMetrics: Sendable, Codable, Equatable {
    /// Percent: 80 or 90.
    public var level: Int
    public var coverage: Double
    public var meanWidth: Double
    /// Winkler's interval score: width plus 2/α times the miss.
    public var winkler: Double
    /// Mean pinball loss of the two ends.
    public var pinball: Double
}

/// How well success (finished within the planned hours) was forecast.
public struct SuccessMetrics: Sendable, Codable, Equatable {
    public var count: Int
    public var brier: Double
    public var logLoss: Double
    /// Nil when only one class occurs.
    public var auc: Double?
    /// Expected calibration error over ten equal-width bins.
    public var calibrationError: Double
    public var accuracy: Double
    public var precision: Double
    public var recall: Double
    public var f1: Double
    /// Share of rows that succeeded.
    public var baseRate: Double
}

/// How often estimates came true as confidence had said.
public struct ConfidenceMetrics: Sendable, Codable, Equatable {
    public var count: Int
    /// Mean stated probability, 0…1, that the actual hours lie within 25 % of the estimate.
    public var said: Double
    /// Share of rows, 0…1, whose actual hours did.
    public var came: Double
}

/// Whether a candidate's absolute errors differ from the baseline's on the same rows.
public struct PairedComparison: Sendable, Codable, Equatable {
    /// Mean of (candidate − baseline) absolute error, hours; below 0 is better than the baseline.
    public var meanDifference: Double
    /// 95 % paired bootstrap interval of that mean.
    public var low: Double
    public var high: Double

    public init(meanDifference: Double, low: Double, high: Double) {
        self.meanDifference = meanDifference
        self.low = low
        self.high = high
    }

    /// The interval lies wholly below 0: better beyond noise.
    public var isBetter: Bool { high < 0 }
    /// The interval lies wholly above 0: worse beyond noise.
    public var isWorse: Bool { low > 0 }
}

/// The figures of one candidate on one slice of rows.
public struct SliceReport: Sendable, Codable, Equatable {
    /// `all`, `new person` (fewer than 5 finished before the decision), `new project` (the same).
    public var slice: String
    public var hours: HoursMetrics?
    public var intervals: [IntervalMetrics]
    public var success: SuccessMetrics?
    /// Of what is answered; nil for candidates that do not answer.
    public var confidence: ConfidenceMetrics?
    /// 95 % intervals of the figures of hours, ranges and success by resampling the slice's rows, each under its name in a table of figures:
    /// `mae`, `median_ae`, `pred25`, `log_rmse`, `sa`, `coverage80`, `winkler80`, `pinball80`, …, `brier`, `log_loss`, `auc`, `ece`, `accuracy`,
    /// `precision`, `recall`, `f1`.
    public var bootstrap: [BootstrapInterval]
}

/// Bootstrap interval of one figure.
public struct BootstrapInterval: Sendable, Codable, Equatable {
    public var figure: String
    public var low: Double
    public var high: Double
}

/// One candidate of one job, judged on the same rows as all others.
public struct CandidateReport: Sendable, Codable, Equatable {
    /// Stable name, e.g. `planned_hours`, `linear_log_ratio`, `boosted_trees`, `ensemble`, `base_network`.
    public var name: String
    /// What it is, in words.
    public var title: String
    /// True when the planned hours were known to it.
    public var withPlan: Bool
    public var isBaseline: Bool
    /// `all` first, then cold-start slices that have rows.
    public var slices: [SliceReport]
    /// Against the best baseline of the same kind; nil for that baseline itself.
    public var versusBaseline: PairedComparison?
    /// The selection score on the validation slice: mean log of this candidate's figures over the baseline's; lower is better.
    public var score: Double

    /// Figures over all rows.
    public var overall: SliceReport { slices[0] }
}
