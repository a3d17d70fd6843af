import Basics
import Contracts
import Forecasting
import Foundation
import Logging
import Postgres
import ServiceKit
import ServiceLifecycle
import ServiceStorage
import Synchronization

/// Repeats the deployed model's questions to the shadow model, once the client has its answer, and stores the shadow model's
/// answers.
///
/// A request only puts its questions into a queue of a fixed length. When the queue is full, or anything fails, a question gets
/// no second answer, which is counted: the comparison has a few tasks less, and clients are not affected.
final class ShadowAnswers: Service {
    struct Asked: Sendable {
        let id: PredictionID
        let question: Question
        let shadow: ShadowModel
        let tenant: TenantID
    }

    private let models: DeployedModels
    private let mirrors: TenantMirrors
    private let database: ServiceDatabase
    private let gate: ComputeGate
    private let capacity: Int
    private let leftOut: @Sendable (_ questions: Int) -> Void
    private let logger: Logger
    private let waiting = Mutex<[Asked]>([])
    private let bell: AsyncStream<Void>
    private let ring: AsyncStream<Void>.Continuation

    /// So many are answered before they are written together.
    private static let batch = 128

    /// - Parameters:
    ///   - gate: for what takes longer than most answers.
    ///   - capacity: questions that wait at most.
    ///   - leftOut: told how many questions stay without a second answer.
    init(
        models: DeployedModels, mirrors: TenantMirrors, database: ServiceDatabase, gate: ComputeGate = ComputeGate(),
        capacity: Int, leftOut: @escaping @Sendable (_ questions: Int) -> Void, logger: Logger
    ) {
        self.models = models
        self.mirrors = mirrors
        self.database = database
        self.gate = gate
        self.capacity = capacity
        self.leftOut = leftOut
        self.logger = logger
        (bell, ring) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    /// Returns at once.
    func offer(_ questions: [Asked]) {
        let taken = waiting.withLock { waiting in
            let room = max(0, capacity - waiting.count)
            waiting += questions.prefix(room)
            return min(room, questions.count)
        }
        if taken < questions.count { leftOut(questions.count - taken) }
        ring.yield()
    }

    func run() async throws {
        await cancelWhenGracefulShutdown { [self] in
            for await _ in bell {
                while !Task.isCancelled, await answerSome() {}
            }
        }
    }

    /// - Returns: false when none waited.
    func answerSome() async -> Bool {
        let questions = waiting.withLock { waiting in
            let first = Array(waiting.prefix(Self.batch))
            waiting.removeFirst(first.count)
            return first
        }
        for (tenant, asked) in Dictionary(grouping: questions, by: \.tenant) {
            do {
                try await write(try await answers(to: asked, of: tenant), of: tenant)
            } catch {
                leftOut(asked.count)
                if Task.isCancelled { return false }
                logger.info(
                    "Answering with the shadow model failed",
                    metadata: [LogKey.tenantID: "\(tenant)", LogKey.error: "\(LogText.of(error))"])
            }
        }
        return !questions.isEmpty
    }

    private func answers(
        to questions: [Asked], of tenant: TenantID
    ) async throws -> [(prediction: PredictionID, answer: ShadowAnswer)] {
        let mirror = try await mirrors.mirror(of: tenant)
        var answers: [(prediction: PredictionID, answer: ShadowAnswer)] = []
        for asked in questions {
            let model = try await model(asked.shadow, of: tenant)
            // What the model knows already proves nothing.
            guard model.isFittedBefore(asked.question.asOf) else { continue }
            let answer = try await gate.answer(
                asked.question, by: model, of: tenant, from: mirror, isComparing: false
            ) { knowledge, model in
                ShadowAnswer(
                    model.forecast.forecast(
                        asked.question.decision(for: asked.question.employee.id), history: knowledge.history,
                        explaining: false),
                    of: asked.shadow.modelId, isPlanned: asked.question.plannedHours != nil)
            }
            answers.append((asked.id, answer))
            // Clients that wait for an answer come first.
            await Task.yield()
        }
        return answers
    }

    private func model(_ shadow: ShadowModel, of tenant: TenantID) async throws -> LoadedModel {
        let servable = ServableModel(
            modelId: shadow.modelId, name: "", version: shadow.version, kind: shadow.kind,
            artifactSha256: shadow.artifactSha256, isDeployed: false)
        return LoadedModel(
            id: shadow.modelId, version: shadow.version, kind: shadow.kind,
            ready: try await models.ready(servable, of: tenant), sha256: shadow.artifactSha256)
    }

    private func write(
        _ answers: [(prediction: PredictionID, answer: ShadowAnswer)], of tenant: TenantID
    ) async throws {
        if answers.isEmpty { return }
        try await database.withTenantRows(tenant) { connection in
            try await connection.executeBatch(
                answers.map { prediction, answer in
                    """
                    INSERT INTO shadow_answers (tenant_id, prediction_id, model_id, answer)
                    VALUES (\(tenant), \(prediction), \(answer.modelId), \(wire: answer)::jsonb)
                    ON CONFLICT DO NOTHING
                    """
                })
        }
    }
}

extension ShadowAnswer {
    fileprivate init(_ forecast: Forecast, of model: ModelID, isPlanned: Bool) {
        self.init(
            modelId: model, estimatedHours: forecast.hours,
            successProbability: isPlanned ? forecast.successProbability : nil, confidence: forecast.confidence,
            interval: forecast.interval(80).map { HoursInterval(level: 0.8, low: $0.low, high: $0.high) })
    }
}
