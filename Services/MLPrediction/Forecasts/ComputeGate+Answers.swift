import Contracts
import Foundation

extension ComputeGate {
    /// Comparing this many people takes about a millisecond, in which no other request should be without a thread.
    private static let manyPeople = 1_000

    /// Answers a question from what the mirror knows and the model as moved by it: here or, where the question compares many people or
    /// the model has yet to be moved, on one thread of the gate. As many are answered there at once as there are cores, each on its own,
    /// so that none waits for parts of another.
    ///
    /// Of the questions that come while outcomes do, one moves the model for all that find the same outcomes when it is their turn.
    /// - Parameter isComparing: whether `body` looks at the alternatives that the question asks for.
    func answer<Answer: Sendable>(
        _ question: Question, by model: LoadedModel, of tenant: TenantID, from mirror: TenantMirror,
        isComparing: Bool = true, _ body: @escaping @Sendable (TenantKnowledge, LoadedModel) -> Answer
    ) async throws -> Answer {
        let moment = question.asOf.timeIntervalSince1970
        let short = await mirror.knowledge.readInTurn { knowledge -> Answer? in
            if isComparing, question.alternatives > 0, knowledge.employees.count >= Self.manyPeople { return nil }
            return model.recalibratedAtOnce(for: tenant, by: knowledge.history, at: moment).map { body(knowledge, $0) }
        }
        if let short { return short }
        return try await run(named: "answer") {
            mirror.knowledge.read { knowledge in
                body(knowledge, model.recalibrated(for: tenant, by: knowledge.history, at: moment))
            }
        }
    }
}
