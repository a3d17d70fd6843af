/// What one training job is asked to do.
public struct TrainingConfiguration: Sendable, Codable, Equatable {
    /// Where a row belongs when the split is given from outside (`split.csv`).
    public enum Part: String, Sendable, Codable, CaseIterable { case train, valid, test, purged }

    /// How rows are divided. Always by time: a shuffled split would let the future teach the past.
    public enum Split: Sendable, Codable, Equatable {
        /// The latest share (0…1) of the completed rows shows what the model can do, a part of those before it chooses, the
        /// earliest fit; rows unfinished at a cut are not known before it.
        case latest(share: Double)
        /// A published split by allocation id. Refused if a train row was not finished when the first valid row was decided.
        case assigned([String: Part])
    }

    /// How far back the rows reach that are fitted and judged, in months. Used for messages; `learnsFrom` says when that is.
    public var months: Int
    /// Epochs of the base network, 10…1000.
    public var epochs: Int
    public var seed: UInt64
    /// Rows decided or completed at or after this moment are not seen (seconds since 1970).
    public var asOf: Double
    /// Only rows completed at or after this moment are fitted and judged (seconds since 1970). The history behind their
    /// features is whole, as it is when a question is answered.
    public var learnsFrom: Double
    public var split: Split
    /// Fewer completed allocations than this are refused.
    public var minimumRows: Int
    /// Trees per boosted head; nil lets the rows that choose decide.
    public var maximumTrees: Int?
    /// How long to search for settings that are not given, in seconds of one core of a nominal machine (see `Search`);
    /// nil for 20. 0 keeps to the usual shape of trees.
    public var searchSeconds: Double?
    /// After the choice, fit hours and success again to all rows, the latest too: what served last week should count.
    /// The figures reported are those of the models that had not seen them.
    public var refitsOnEverything: Bool
    /// Adam's step size for the base network; nil for 0.001.
    public var learningRate: Double?
    /// Rows per step of the base network; nil for 32.
    public var batchSize: Int?
    /// Dropout rate of the base network, 0…0.95; nil for 0.2.
    public var dropout: Double?

    public init(
        months: Int = 6, epochs: Int = 100, seed: UInt64 = 1, asOf: Double, learnsFrom: Double = -.infinity,
        split: Split = .latest(share: 0.15),
        minimumRows: Int = 30, maximumTrees: Int? = nil, searchSeconds: Double? = nil,
        refitsOnEverything: Bool = true, learningRate: Double? = nil, batchSize: Int? = nil, dropout: Double? = nil
    ) {
        self.months = months
        self.epochs = epochs
        self.seed = seed
        self.asOf = asOf
        self.learnsFrom = learnsFrom
        self.split = split
        self.minimumRows = minimumRows
        self.maximumTrees = maximumTrees
        self.searchSeconds = searchSeconds
        self.refitsOnEverything = refitsOnEverything
        self.learningRate = learningRate
        self.batchSize = batchSize
        self.dropout = dropout
    }
}

/// Why a job cannot give a model. `description` is meant for a planner.
public struct TrainingError: Error, CustomStringConvertible, Equatable {
    public struct Code: Sendable, Hashable, CustomStringConvertible {
        public let description: String
        /// Too few completed allocations.
        public static let tooLittleHistory = Code(description: "too_little_history")
        /// The configuration itself makes no sense (epochs, split).
        public static let badConfiguration = Code(description: "bad_configuration")
        /// `isCancelled` said so.
        public static let cancelled = Code(description: "cancelled")
        /// The checkpoint to resume from is not of this run or is damaged.
        public static let badCheckpoint = Code(description: "bad_checkpoint")
    }

    public let code: Code
    public let description: String

    public init(_ code: Code, _ description: String) {
        self.code = code
        self.description = description
    }
}

/// One step forward, reported as it happens.
public struct TrainingProgress: Sendable, Codable, Equatable {
    /// What is being fitted, e.g. `base network`, `boosted trees`.
    public var stage: String
    /// 1-based; epochs are reported for the base network, which each job trains once.
    public var epoch: Int?
    public var epochs: Int
    public var loss: Double?
    public var validationLoss: Double?
    public var accuracy: Double?
    public var validationAccuracy: Double?
    public var learningRate: Double?
    /// Share of the whole job that is done, 0…1.
    public var fraction: Double

    public init(
        stage: String, epoch: Int? = nil, epochs: Int, loss: Double? = nil, validationLoss: Double? = nil,
        accuracy: Double? = nil, validationAccuracy: Double? = nil, learningRate: Double? = nil, fraction: Double
    ) {
        self.stage = stage
        self.epoch = epoch
        self.epochs = epochs
        self.loss = loss
        self.validationLoss = validationLoss
        self.accuracy = accuracy
        self.validationAccuracy = validationAccuracy
        self.learningRate = learningRate
        self.fraction = fraction
    }
}
