public import Foundation

/// `PUT /training/schedule`: when models are trained again by themselves. What is left out has its default; it is not kept.
public struct TrainingScheduleRequest: RequestPayload, Equatable {
    /// Train again so many days after the latest model's dataset, 1…365; nil: not by time.
    public let everyDays: Int?
    /// Train again when so many allocations have been completed that the latest model did not learn from, 1…100000; nil:
    /// not by number.
    public let newOutcomes: Int?
    /// As in `POST /training/jobs`, and the following too.
    public let months: Int?
    public let epochs: Int?
    public let modelType: String?
    /// nil for one drawn for each job.
    public let seed: Int?
    public let hyperparameters: TrainingHyperparameters?
    /// Put a scheduled job's model into service when it has passed its gates and is no worse than the one deployed; nil for
    /// false. Needs the permission ml: deploy.
    public let deployAutomatically: Bool?
    /// For so many days at least a model that is to be deployed automatically answers beside the deployed one, unseen, 0…180; nil
    /// for 14; 0 deploys it at once. The decision falls after four times as many days at the latest.
    public let shadowDays: Int?
    /// Tasks whose outcome must be known before the two are compared, 20…10000; nil for 50.
    public let shadowOutcomes: Int?

    public static let shadowDays = 14
    public static let shadowOutcomes = 50

    public init(
        everyDays: Int? = nil, newOutcomes: Int? = nil, months: Int? = nil, epochs: Int? = nil,
        modelType: String? = nil, seed: Int? = nil, hyperparameters: TrainingHyperparameters? = nil,
        deployAutomatically: Bool? = nil, shadowDays: Int? = nil, shadowOutcomes: Int? = nil
    ) {
        self.shadowDays = shadowDays
        self.shadowOutcomes = shadowOutcomes
        self.everyDays = everyDays
        self.newOutcomes = newOutcomes
        self.months = months
        self.epochs = epochs
        self.modelType = modelType
        self.seed = seed
        self.hyperparameters = hyperparameters
        self.deployAutomatically = deployAutomatically
    }

    /// The job that the schedule asks for each time.
    public var job: CreateTrainingJobRequest {
        CreateTrainingJobRequest(
            months: months, epochs: epochs, modelType: modelType, seed: seed, hyperparameters: hyperparameters)
    }

    public func validate(_ validation: inout Validation) {
        validation.range(everyDays, 1...365, "everyDays")
        validation.range(newOutcomes, 1...100_000, "newOutcomes")
        validation.range(shadowDays, 0...180, "shadowDays")
        validation.range(shadowOutcomes, 20...10_000, "shadowOutcomes")
        if everyDays == nil && newOutcomes == nil {
            validation.reject("everyDays", "or newOutcomes must be given: they say when to train")
        }
        job.validate(&validation)
    }
}

/// `GET /training/schedule`.
public struct TrainingSchedule: Codable, Sendable, Equatable {
    public let everyDays: Int?
    public let newOutcomes: Int?
    public let months: Int
    public let epochs: Int
    public let modelType: String
    public let seed: Int?
    public let hyperparameters: TrainingHyperparameters
    public let deployAutomatically: Bool
    public let shadowDays: Int
    public let shadowOutcomes: Int
    /// Who set it last.
    public let setBy: String
    public let createdAt: Date
    public let updatedAt: Date
    public let state: TrainingScheduleState

    public init(
        everyDays: Int?, newOutcomes: Int?, months: Int, epochs: Int, modelType: String, seed: Int?,
        hyperparameters: TrainingHyperparameters, deployAutomatically: Bool, setBy: String, createdAt: Date,
        updatedAt: Date, state: TrainingScheduleState, shadowDays: Int = TrainingScheduleRequest.shadowDays,
        shadowOutcomes: Int = TrainingScheduleRequest.shadowOutcomes
    ) {
        self.shadowDays = shadowDays
        self.shadowOutcomes = shadowOutcomes
        self.everyDays = everyDays
        self.newOutcomes = newOutcomes
        self.months = months
        self.epochs = epochs
        self.modelType = modelType
        self.seed = seed
        self.hyperparameters = hyperparameters
        self.deployAutomatically = deployAutomatically
        self.setBy = setBy
        self.createdAt = createdAt
        self.updatedAt = updatedAt
        self.state = state
    }
}

/// Where a schedule stands.
public struct TrainingScheduleState: Codable, Sendable, Equatable {
    /// Whether a job is due now, in words: what it waits for, or why it does not start.
    public let explanation: String
    /// When the next job is due by time; nil when only outcomes can make one due.
    public let nextDueAt: Date?
    /// Completed allocations found that the latest model did not learn from, counted no further than `newOutcomes`; nil
    /// where they are not counted.
    public let newOutcomesFound: Int?
    /// When it was last looked at; nil before the first time.
    public let lookedAt: Date?
    /// The latest job that the schedule started.
    public let lastJobId: JobID?
    /// Its jobs that failed one after the other since the last success.
    public let failures: Int
    /// What became of the latest scheduled model's deployment, in words; nil where none was asked for.
    public let deployment: String?
    /// The latest scheduled model that answered beside the deployed one; nil where none has.
    public let shadow: ModelShadow?

    public init(
        explanation: String, nextDueAt: Date?, newOutcomesFound: Int?, lookedAt: Date?, lastJobId: JobID?,
        failures: Int, deployment: String?, shadow: ModelShadow? = nil
    ) {
        self.shadow = shadow
        self.explanation = explanation
        self.nextDueAt = nextDueAt
        self.newOutcomesFound = newOutcomesFound
        self.lookedAt = lookedAt
        self.lastJobId = lastJobId
        self.failures = failures
        self.deployment = deployment
    }
}
