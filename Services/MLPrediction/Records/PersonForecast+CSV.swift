import Basics
import Contracts

/// Forecasts as CSV (RFC 4180); empty means unknown.
extension PersonForecast {
    static let csvHeader = """
        prediction_id,created_at,as_of,employee_id,role,project_id,requested_by,planned_hours,estimated_hours,low_hours,\
        high_hours,success_probability,confidence,score,explanation_base,explanation,model_id,model_version,model_kind,\
        model_sha256,decision,reason,actual_hours,feedback_score,feedback_comment,shadow_model_id,\
        shadow_estimated_hours,shadow_low_hours,shadow_high_hours,shadow_success_probability,shadow_confidence,\
        availability,skill_match,skill_fit,rank,explanation_text,features\r\n
        """

    var csv: String {
        let reasons = explanation.map { "\($0.feature)=\(Self.number($0.effect))" }.joined(separator: ";")
        let question = [
            predictionId.description, WireJSON.timestamp(createdAt), WireJSON.timestamp(asOf), employeeId.description,
            role.rawValue, projectId.description, requestedBy, Self.number(plannedHours),
        ]
        let answer = [
            Self.number(estimatedHours), Self.number(interval?.low), Self.number(interval?.high),
            Self.number(successProbability), Self.number(confidence), Self.number(score), Self.number(explanationBase),
            reasons, model.id?.description ?? "", String(model.version), model.kind, model.artifactSha256 ?? "",
        ]
        let outcome = [
            decision?.rawValue ?? "", reason ?? "", Self.number(actualHours), feedbackScore.map(String.init) ?? "",
            feedbackComment ?? "",
        ]
        let second = [
            shadow?.modelId.description ?? "", Self.number(shadow?.estimatedHours), Self.number(shadow?.interval?.low),
            Self.number(shadow?.interval?.high), Self.number(shadow?.successProbability),
            Self.number(shadow?.confidence),
        ]
        let comparison = [
            Self.number(availability), Self.number(skillMatch), Self.number(skillFit), rank.map(String.init) ?? "",
            explanation.compactMap(\.text).joined(separator: " "),
            (features ?? []).map { "\($0.name)=\(Self.number($0.value))" }.joined(separator: ";"),
        ]
        return CSVText.row(question + answer + outcome + second + comparison) + "\r\n"
    }

    /// The shortest text that reads back as the same number.
    private static func number(_ value: Double?) -> String {
        guard let value else { return "" }
        return value == value.rounded() && abs(value) < 1e15 ? String(Int(value)) : String(value)
    }
}
