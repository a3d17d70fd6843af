import Contracts
import ServiceStorage

extension NewJob {
    /// What entries of the audit log call a job of that type.
    static func noun(_ modelType: String) -> String { modelType == backtest ? "backtest" : "training_job" }

    /// What the tenant's audit log says of the job's creation.
    var note: AuditNote {
        let after: [String: JSONValue] = [
            "months": .integer(months), "epochs": .integer(epochs), "seed": .integer(seed),
            "asOf": .string(WireJSON.timestamp(asOf)), "origin": .string(origin.rawValue),
        ]
        return AuditNote(
            "create", Self.noun(modelType), id.description, details: ["after": .object(after)], by: requestedBy,
            requestId: requestID)
    }
}
