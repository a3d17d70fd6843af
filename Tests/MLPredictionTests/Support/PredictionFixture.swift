import Contracts
import Forecasting
import Foundation
import HTTPTypes
import HistoryFeed
import Logging
import Postgres
import ServiceKit
import ServiceStorage
import Synchronization
import TestSupport

@testable import MLPrediction

/// ml-prediction's own schema in a fresh database, reached with the service's own role.
struct PredictionDatabase {
    let database: ServiceDatabase
    /// Of the service's own role.
    let url: String

    var log: PostgresPredictionLog { PostgresPredictionLog(database: database) }
    var metrics: PostgresModelMetricsStore { PostgresModelMetricsStore(database: database) }

    static func with<R>(_ body: (PredictionDatabase) async throws -> R) async throws -> R {
        try await ServiceDatabases.withDatabases("mlprediction", migrated: .mlPrediction) { databases in
            var configuration = try PostgresConfiguration(url: databases.mlPrediction)
            configuration.acquireTimeout = .seconds(60)
            let database = ServiceDatabase(
                configuration: configuration, schema: "ml_prediction",
                migrationsDirectory: ServiceDatabases.migrations("ml-prediction"), logger: PostgresCluster.quietLogger)
            do {
                let result = try await body(PredictionDatabase(database: database, url: databases.mlPrediction))
                await database.pool.close()
                return result
            } catch {
                await database.pool.close()
                throw error
            }
        }
    }
}

/// A clock that only moves when told.
final class ManualClock: Sendable {
    private let instant = Mutex(ContinuousClock.now)
    @Sendable func now() -> ContinuousClock.Instant { instant.withLock { $0 } }
    func advance(by duration: Duration) { instant.withLock { $0 = $0 + duration } }
}

/// A history feed from memory that counts its questions and can fail.
final class ScriptedFeed: HistoryFeedSource {
    struct State {
        var lines: [HistoryLine]
        var changes: [HistoryLine] = []
        var watermark = 1
        var timeZone: String?
        /// As the next answer says.
        var skillAliases: [String: [String]]?
        var questions: [String?] = []
        var isDown = false
        var isSuspended = false
        /// Refused for another reason than the tenant.
        var isForbidden = false
        var forgetsWatermarks = false
        /// After half of the lines.
        var breaksOff = false
        /// So many of the next answers about changes never come.
        var lostAnswers = 0
        /// How long each answer might be silent.
        var silences: [Duration] = []
    }

    let state: Mutex<State>
    /// Waited for inside of every question.
    let gate: (@Sendable () async -> Void)?

    init(_ lines: [HistoryLine], gate: (@Sendable () async -> Void)? = nil) {
        state = Mutex(State(lines: lines))
        self.gate = gate
    }

    func change(_ lines: [HistoryLine]) {
        state.withLock {
            $0.changes = lines
            $0.lines += lines
            $0.watermark += 1
        }
    }

    var questions: [String?] { state.withLock { $0.questions } }

    func feed(
        tenant: TenantID, since watermark: String?, silence: Duration,
        take: @escaping @Sendable (HistoryLine) -> Void
    ) async throws -> HistoryEnd {
        await gate?()
        let (lines, end, isCut) = try state.withLock { state in
            state.questions.append(watermark)
            state.silences.append(silence)
            if watermark != nil, state.lostAnswers > 0 {
                state.lostAnswers -= 1
                throw ProblemError(
                    status: .gatewayTimeout, code: .upstreamTimeout,
                    "The service tenant-admin did not answer in time.")
            }
            if state.isDown {
                throw ProblemError.unavailable("The service tenant-admin is not available at the moment.")
            }
            if state.isSuspended {
                throw ProblemError.permissionDenied("The tenant is not active.", code: .tenantUnavailable)
            }
            if state.isForbidden { throw ProblemError.permissionDenied("This is for other services.") }
            if watermark != nil && state.forgetsWatermarks {
                throw ProblemError.validation("since", "is not a watermark of this feed")
            }
            let lines = watermark == nil ? state.lines : watermark == "\(state.watermark)" ? [] : state.changes
            return (
                lines,
                HistoryEnd(
                    watermark: "\(state.watermark)", lines: lines.count, timeZone: state.timeZone,
                    skillAliases: state.skillAliases),
                state.breaksOff
            )
        }
        for line in lines.prefix(isCut ? lines.count / 2 : lines.count) { take(line) }
        if isCut { throw HistoryFeedError(description: "the history feed was cut short") }
        return end
    }
}

/// A registry from memory.
final class ScriptedModels: ModelSource {
    struct State {
        var deployment: DeployedModel?
        var artifacts: [ModelID: [UInt8]] = [:]
        var isDown = false
        /// What was deployed at every past moment.
        var former: DeployedModel?
        var questionsOfThePast = 0
        var deploymentQuestions = 0
        var artifactQuestions = 0
        var areArtifactsDown = false
        /// Told of each question for an artefact.
        var asked: AsyncStream<Void>.Continuation?
        /// Waited for inside of every such question.
        var gate: Task<Void, Never>?
    }

    let state = Mutex(State())

    /// Lets questions for artefacts wait until they are released.
    /// - Returns: the questions, and what releases them.
    func holdArtifacts() -> (asked: AsyncStream<Void>, release: () -> Void) {
        let (asked, question) = AsyncStream.makeStream(of: Void.self)
        let (opened, opening) = AsyncStream.makeStream(of: Void.self)
        state.withLock { state in
            state.asked = question
            state.gate = Task { for await _ in opened { return } }
        }
        return (asked, { opening.finish() })
    }

    func deploy(_ bytes: [UInt8], version: Int = 1, deployedAt: Date = Date()) -> DeployedModel {
        let model = DeployedModel(
            modelId: ModelID(), version: version, kind: "test", artifactSha256: HeldModels.digest(of: bytes),
            deployedAt: deployedAt)
        state.withLock {
            $0.deployment = model
            $0.artifacts[model.modelId] = bytes
        }
        return model
    }

    func deployment(tenant: TenantID) async throws -> DeployedModel? {
        try state.withLock { state in
            state.deploymentQuestions += 1
            if state.isDown {
                throw ProblemError.unavailable("The service ml-training is not available at the moment.")
            }
            return state.deployment
        }
    }

    func deployment(tenant: TenantID, at moment: Date) async throws -> DeployedModel? {
        state.withLock { state in
            state.questionsOfThePast += 1
            return state.former
        }
    }

    func artifact(_ model: DeployedModel, tenant: TenantID) async throws -> [UInt8] {
        let gate = state.withLock { state in
            state.artifactQuestions += 1
            state.asked?.yield()
            return state.gate
        }
        await gate?.value
        return try state.withLock { state in
            if state.areArtifactsDown {
                throw ProblemError.unavailable("The service ml-training is not available at the moment.")
            }
            return state.artifacts[model.modelId] ?? []
        }
    }
}

/// One model trained on the synthetic history, for all tests of this process.
enum TrainedModel {
    /// Few plans are kept: a base rate that is far from one half is said, and no more can be found in so few rows.
    static let history = SyntheticHistory(allocations: 120, pace: 0.9)

    /// Of what was known two days before the history's end.
    static let olderArtifact = Task { () throws -> [UInt8] in
        var known = History()
        for line in history.lines { if let change = line.change { known.apply(change) } }
        let configuration = TrainingConfiguration(
            months: 240, epochs: 10, seed: 3, asOf: history.end.timeIntervalSince1970 - 10 * 86_400)
        return try await trained(on: known, configuration).model.encoded()
    }

    static let artifact = Task { () throws -> [UInt8] in try await outcome.value.model.encoded() }

    /// The same with its trainer's answers, as ml-training stores it.
    static let probedArtifact = Task { () throws -> [UInt8] in
        try await outcome.value.probedModel(known).encoded()
    }

    private static var known: History {
        var known = History()
        for change in history.lines.compactMap(\.change) { known.apply(change) }
        return known
    }

    /// On a thread of its own: it takes seconds, in which other tests go on.
    private static func trained(
        on history: History, _ configuration: TrainingConfiguration
    ) async throws -> TrainingOutcome {
        let run = try TrainingRun(history: history, configuration: configuration)
        return try await ComputeThread.run(named: "train") { try run.run() }
    }

    private static let outcome = Task { () throws -> TrainingOutcome in
        let configuration = TrainingConfiguration(
            months: 240, epochs: 10, seed: 3, asOf: history.end.timeIntervalSince1970)
        return try await trained(on: known, configuration)
    }
}
