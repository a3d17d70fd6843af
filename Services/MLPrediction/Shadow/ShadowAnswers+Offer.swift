import Contracts
import Postgres

extension ShadowAnswers {
    /// What a request was answered with is asked of the shadow, too, where there is one. Returns at once.
    /// - Parameters:
    ///   - answered: questions and their answers, already in the log.
    ///   - model: the deployed one; what another one answered, as of a past moment, is no comparison.
    func offer(_ answered: some Sequence<(Question, Prediction)>, beside model: LoadedModel, of tenant: TenantID) {
        guard let shadow = model.shadow else { return }
        offer(
            answered.compactMap { question, answer in
                answer.model.id == model.id
                    ? Asked(id: answer.predictionId, question: question, shadow: shadow, tenant: tenant) : nil
            })
    }
}

extension ShadowAnswer {
    /// `shadow`: the second answer to the prediction of a row of `predictions p`, as JSON.
    static let column: SQL = """
        (SELECT answer FROM shadow_answers sa WHERE sa.tenant_id = p.tenant_id AND sa.prediction_id = p.id) AS shadow
        """
}
