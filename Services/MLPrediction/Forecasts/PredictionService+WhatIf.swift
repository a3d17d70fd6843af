import Contracts
import Foundation
import ServiceKit

extension PredictionService {
    /// Answers a hypothetical question; nothing is stored.
    /// - Throws: as ``predict(_:paths:for:key:)``.
    func whatIf(_ request: WhatIfRequest, for caller: TenantCaller) async throws -> WhatIfAnswer {
        try admission.requireRoom()
        let base = try await question(of: request.predictionId, tenant: caller.tenant)
        guard let question = request.question(changing: base) else {
            throw ProblemError.validation("employeeId", "must be given, or predictionId instead")
        }
        // Each alone may be right and both together wrong.
        var validation = Validation()
        question.validate(&validation)
        guard validation.errors.isEmpty else { throw ProblemError.validation(validation.errors) }
        async let upToDate = mirrors.mirror(of: caller.tenant)
        let present = try await models.model(of: caller.tenant)
        let mirror = try await upToDate
        let requests = [question] + (base.map { [$0] } ?? [])
        let (questions, _) = try await checked(
            requests, paths: ["", "unchanged."], against: mirror, bookableOnly: false)
        let answering = try await models.models(of: caller.tenant, asOf: questions.map(\.asOf), present: present)
        let answers = try await admission.admit {
            var answers: [WhatIfPrediction] = []
            for (question, model) in zip(questions, answering) {
                let answer = try await gate.answer(question, by: model, of: caller.tenant, from: mirror) {
                    knowledge, model in Self.whatIf(question, model: model, knowledge: knowledge)
                }
                answers.append(answer)
            }
            return answers
        }
        return WhatIfAnswer(
            request: question, answer: answers[0], unchanged: answers.dropFirst().first)
    }

    private static func whatIf(
        _ question: Question, model: LoadedModel, knowledge: TenantKnowledge
    ) -> WhatIfPrediction {
        let answer = Advisor(knowledge: knowledge, model: model).answer(question)
        let features = answer.features
        return WhatIfPrediction(
            Prediction(id: PredictionID(), answer, question: question, model: model.description),
            features: FeatureValue.named(features.values, names: features.set.names),
            warnings: question.obstacle.map { [$0] } ?? [])
    }

    /// - Throws: 422 when the tenant has no such prediction.
    private func question(of id: PredictionID?, tenant: TenantID) async throws -> PredictionRequest? {
        guard let id else { return nil }
        guard let found = try await log.record(id, tenant: tenant) else {
            throw ProblemError.validation("predictionId", "is not a prediction of this tenant")
        }
        return found.record.request
    }

    /// The department of the person decided on instead.
    /// - Throws: 422 naming what the tenant does not have.
    func department(ofInstead instead: PredictionInstead?, tenant: TenantID) async throws -> DepartmentID? {
        guard let instead, instead.employeeId != nil || instead.projectId != nil else { return nil }
        let mirror = try await mirrors.mirror(of: tenant)
        func check() async throws -> DepartmentID? {
            try await mirror.knowledge.readInTurn { knowledge in
                let employee = instead.employeeId.map { knowledge.employees[$0] }
                let project = instead.projectId.map { knowledge.projects[$0] }
                var errors: [FieldError] = []
                if case .some(.none) = employee {
                    errors.append(
                        FieldError(field: "instead.employeeId", message: "is not an employee of this tenant"))
                }
                if case .some(.none) = project {
                    errors.append(FieldError(field: "instead.projectId", message: "is not a project of this tenant"))
                }
                guard errors.isEmpty else { throw ProblemError.validation(errors) }
                return employee??.departmentId
            }
        }
        do {
            return try await check()
        } catch is ProblemError {
            // They may have been made a moment ago.
            try await mirror.catchUp()
            return try await check()
        }
    }
}
