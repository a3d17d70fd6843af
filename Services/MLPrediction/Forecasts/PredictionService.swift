import Contracts
import Foundation
import ServiceKit
import ServiceStorage

/// Answers prediction requests: model and history are brought up to date, the question is checked and answered, and the
/// answer is in the log before the client gets it.
struct PredictionService: Sendable {
    let models: DeployedModels
    let mirrors: TenantMirrors
    let log: any PredictionLog
    let outcomes: OutcomeIntake
    let usage: UsageCounter
    let featureNames: FeatureNames?
    let shadows: ShadowAnswers?
    let admission: Admission
    /// For what takes longer than most answers.
    let gate: ComputeGate
    let now: @Sendable () -> Date
    /// What the time of an answer is measured with.
    private let clock: @Sendable () -> ContinuousClock.Instant

    init(
        models: DeployedModels, mirrors: TenantMirrors, log: any PredictionLog, usage: UsageCounter = UsageCounter(),
        featureNames: FeatureNames? = nil, shadows: ShadowAnswers? = nil, admission: Admission = Admission(most: 256),
        gate: ComputeGate = ComputeGate(), now: @escaping @Sendable () -> Date = { Date() },
        clock: @escaping @Sendable () -> ContinuousClock.Instant = { .now }
    ) {
        self.models = models
        self.mirrors = mirrors
        self.log = log
        outcomes = OutcomeIntake(mirrors: mirrors, log: log, gate: gate, now: now)
        self.usage = usage
        self.featureNames = featureNames
        self.shadows = shadows
        self.admission = admission
        self.gate = gate
        self.now = now
        self.clock = clock
    }

    /// - Parameter paths: what stands before a field's name in errors, one per request.
    /// - Throws: `ProblemError`: 422 naming every bad field, 503 when something cannot be asked or too much is asked for.
    func predict(
        _ requests: [PredictionRequest], paths: [String], for caller: TenantCaller, key: IdempotencyKey?
    ) async throws -> [Prediction] {
        let (start, places) = (clock(), Admission.places(for: requests.count))
        try admission.requireRoom(for: places)
        if let key, let earlier = try await log.earlierAnswer(key, tenant: caller.tenant) { return earlier }
        // Both are nearly always cached, and then starting another task would take longer.
        let mirror = try await mirrors.mirror(of: caller.tenant)
        let present = try await models.model(of: caller.tenant)
        let (questions, moment) = try await checked(requests, paths: paths, against: mirror)
        let answering = try await models.models(of: caller.tenant, asOf: questions.map(\.asOf), present: present)
        return try await admission.admit(places) {
            let answered = try await answer(
                zip(requests, zip(questions, answering)), of: caller.tenant, against: mirror, at: moment, since: start)
            let logged = try await log.append(answered, key: key, requestedBy: caller.subject, tenant: caller.tenant)
            // Not what was answered under the same key meanwhile.
            if logged.first?.predictionId == answered.first?.prediction.predictionId {
                usage.count(predictions: logged.count, of: caller.tenant)
                shadows?.offer(zip(questions, logged), beside: present, of: caller.tenant)
            }
            return logged
        }
    }

    /// Its client has gone by then, and a name that it brings might be erased already (``PersonEraser``).
    private static let longestAnswer = Duration.seconds(300)

    private func answer(
        _ asked: some Sequence<(PredictionRequest, (Question, LoadedModel))>, of tenant: TenantID,
        against mirror: TenantMirror, at moment: Date, since start: ContinuousClock.Instant
    ) async throws -> [NewPrediction] {
        var answered: [NewPrediction] = []
        // Ids tell the order of questions that have one moment.
        let asked = Array(asked)
        let ids = asked.map { _ in UUID() }.sorted().map { PredictionID(rawValue: $0) }
        for ((request, (question, model)), id) in zip(asked, ids) {
            guard clock() - start < Self.longestAnswer else {
                throw ProblemError.unavailable("So many questions take too long at the moment; ask fewer at once.")
            }
            let answer = try await gate.answer(question, by: model, of: tenant, from: mirror) { knowledge, model in
                Advisor(knowledge: knowledge, model: model).answer(question)
            }
            try await featureNames?.keep(answer.features.set, of: tenant)
            answered.append(
                NewPrediction(
                    request: request,
                    prediction: Prediction(id: id, answer, question: question, model: model.description),
                    createdAt: moment, features: answer.features, selection: answer.selection))
            // A large batch is no reason for others to wait.
            await Task.yield()
        }
        return answered
    }

    /// Whether the questions could be answered.
    /// - Throws: as ``predict(_:paths:for:key:)``.
    func check(_ requests: [PredictionRequest], paths: [String], for caller: TenantCaller) async throws {
        _ = try await checked(requests, paths: paths, against: try await mirrors.mirror(of: caller.tenant))
    }

    /// - Throws: `ProblemError` 422 naming `employeeId` for somebody the tenant does not have; as `TenantMirror.refresh`.
    func require(_ employee: EmployeeID, of tenant: TenantID) async throws {
        let mirror = try await mirrors.mirror(of: tenant)
        func isKnown() async -> Bool { await mirror.knowledge.readInTurn { $0.employees[employee] != nil } }
        if await isKnown() { return }
        // The person may have been added a moment ago.
        try await mirror.catchUp()
        guard await isKnown() else {
            throw ProblemError.validation("employeeId", "is not an employee of this tenant")
        }
    }

    /// So many questions are checked in a row, while those who change what is known wait.
    private static let checkedTogether = 100
    /// So many faults are told at once.
    private static let mostErrors = 100

    /// A resource that seems missing or unfit may have been created or changed a moment ago, so that a refusal is answered only
    /// after the mirror has caught up.
    func checked(
        _ requests: [PredictionRequest], paths: [String], against mirror: TenantMirror, bookableOnly: Bool = true
    ) async throws -> ([Question], Date) {
        do {
            return try await check(requests, paths, against: mirror, bookableOnly: bookableOnly)
        } catch is ProblemError {
            try await mirror.catchUp()
            return try await check(requests, paths, against: mirror, bookableOnly: bookableOnly)
        }
    }

    /// - Throws: `ProblemError` with every bad field of every request, as far as they can be told at once.
    private func check(
        _ requests: [PredictionRequest], _ paths: [String], against mirror: TenantMirror, bookableOnly: Bool
    ) async throws -> ([Question], Date) {
        let moment = now()
        var (questions, errors): ([Question], [FieldError]) = ([], [])
        for first in stride(from: 0, to: requests.count, by: Self.checkedTogether) {
            if first > 0 { await Task.yield() }
            guard errors.count < Self.mostErrors else { break }
            let part = first..<min(first + Self.checkedTogether, requests.count)
            let (good, bad) = await mirror.knowledge.readInTurn { knowledge in
                var errors: [FieldError] = []
                let questions = part.compactMap { place in
                    Question(
                        requests[place], knowledge: knowledge, now: moment, path: paths[place],
                        bookableOnly: bookableOnly, errors: &errors)
                }
                return (questions, errors)
            }
            questions += good
            errors += bad
        }
        guard errors.isEmpty else { throw ProblemError.validation(errors) }
        return (questions, moment)
    }
}
