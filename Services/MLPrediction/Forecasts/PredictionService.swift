import Contracts
import Foundation
import ServiceKit
import ServiceStorage

/// Answers prediction requests: model and history are brought up to date, the question is checked and answered, and the
/// answer is in the log before the client gets it.
struct PredictionService: Sendable {
    let models: DeployedModels
    let recalibrated = RecalibratedModels()
    let mirrors: TenantMirrors
    let log: any PredictionLog
    let outcomes: OutcomeIntake
    let usage: UsageCounter
    let featureNames: FeatureNames?
    let shadows: ShadowAnswers?
    let admission: Admission
    private let gate = ComputeGate(atOnce: ProcessInfo.processInfo.activeProcessorCount)
    let now: @Sendable () -> Date

    init(
        models: DeployedModels, mirrors: TenantMirrors, log: any PredictionLog, usage: UsageCounter = UsageCounter(),
        featureNames: FeatureNames? = nil, shadows: ShadowAnswers? = nil, admission: Admission = Admission(most: 256),
        now: @escaping @Sendable () -> Date = { Date() }
    ) {
        self.models = models
        self.mirrors = mirrors
        self.log = log
        outcomes = OutcomeIntake(mirrors: mirrors, log: log, now: now)
        self.usage = usage
        self.featureNames = featureNames
        self.shadows = shadows
        self.admission = admission
        self.now = now
    }

    /// - Parameter paths: what stands before a field's name in errors, one per request.
    /// - Throws: `ProblemError`: 422 naming every bad field, 503 when something cannot be asked or too much is asked for.
    func predict(
        _ requests: [PredictionRequest], paths: [String], for caller: TenantCaller, key: IdempotencyKey?
    ) async throws -> [Prediction] {
        try await admission.admit { try await answer(requests, paths: paths, for: caller, key: key) }
    }

    private func answer(
        _ requests: [PredictionRequest], paths: [String], for caller: TenantCaller, key: IdempotencyKey?
    ) async throws -> [Prediction] {
        if let key, let earlier = try await log.earlierAnswer(key, tenant: caller.tenant) { return earlier }
        // Both are nearly always cached, and then starting another task would take longer.
        let mirror = try await mirrors.mirror(of: caller.tenant)
        let present = try await models.model(of: caller.tenant)
        let (questions, moment) = try await checked(requests, paths: paths, against: mirror)
        var answered: [NewPrediction] = []
        for (request, question) in zip(requests, questions) {
            let model = try await models.model(of: caller.tenant, asOf: question.asOf, present: present)
            let (answer, features) = try await compute(comparing: question, against: mirror) {
                [recalibrated] knowledge in
                let model = recalibrated.model(
                    model, of: caller.tenant, history: knowledge.history, at: question.asOf.timeIntervalSince1970)
                return (
                    Advisor(knowledge: knowledge, model: model).answer(question),
                    model.ready.features(of: question.decision(for: question.employee.id), history: knowledge.history)
                )
            }
            try await featureNames?.keep(features.set, of: caller.tenant)
            answered.append(
                NewPrediction(
                    request: request,
                    prediction: Prediction(id: PredictionID(), answer, question: question, model: model.description),
                    createdAt: moment, features: features, selection: answer.selection))
            // A large batch is no reason for others to wait.
            await Task.yield()
        }
        let logged = try await log.append(answered, key: key, requestedBy: caller.subject, tenant: caller.tenant)
        // Not what was answered under the same key meanwhile.
        if logged.first?.predictionId == answered.first?.prediction.predictionId {
            usage.count(predictions: logged.count, of: caller.tenant)
            shadows?.offer(zip(questions, logged), beside: present, of: caller.tenant)
        }
        return logged
    }

    /// Comparing this many people takes milliseconds, in which no other request should be without a thread.
    private static let manyPeople = 1_000

    /// Reads the knowledge here or, where the question compares many people, on a thread of its own, as many at once as there are cores.
    private func compute<Result: Sendable>(
        comparing question: Question, against mirror: TenantMirror,
        _ body: @escaping @Sendable (TenantKnowledge) -> Result
    ) async throws -> Result {
        guard question.alternatives > 0, mirror.knowledge.read({ $0.employees.count }) >= Self.manyPeople else {
            return mirror.knowledge.read(body)
        }
        return try await gate.pass {
            try await ComputeThread.run(named: "compare") { mirror.knowledge.read(body) }
        }
    }

    /// Whether the questions could be answered.
    /// - Throws: as ``predict(_:paths:for:key:)``.
    func check(_ requests: [PredictionRequest], paths: [String], for caller: TenantCaller) async throws {
        _ = try await checked(requests, paths: paths, against: try await mirrors.mirror(of: caller.tenant))
    }

    /// A resource that seems missing or unfit may have been created or changed a moment ago, so that a refusal is answered only
    /// after the mirror has caught up.
    func checked(
        _ requests: [PredictionRequest], paths: [String], against mirror: TenantMirror, bookableOnly: Bool = true
    ) async throws -> ([Question], Date) {
        func check() throws -> ([Question], Date) {
            let moment = now()
            let questions = try mirror.knowledge.read {
                try Self.check(requests, paths: paths, against: $0, at: moment, bookableOnly: bookableOnly)
            }
            return (questions, moment)
        }
        do {
            return try check()
        } catch is ProblemError {
            try await mirror.catchUp()
            return try check()
        }
    }

    /// - Throws: `ProblemError` with every bad field of every request.
    private static func check(
        _ requests: [PredictionRequest], paths: [String], against knowledge: TenantKnowledge, at moment: Date,
        bookableOnly: Bool
    ) throws -> [Question] {
        var errors: [FieldError] = []
        let questions = zip(requests, paths).compactMap { request, path in
            Question(
                request, knowledge: knowledge, now: moment, path: path, bookableOnly: bookableOnly, errors: &errors)
        }
        guard errors.isEmpty else { throw ProblemError.validation(errors) }
        return questions
    }
}
