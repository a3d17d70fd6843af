import Contracts
import HTTPTypes
import ServiceKit

// The domain's refusals in the words of the API; the one error middleware asks for them.

extension DeploymentRefusal: ProblemConvertible {
    var problem: ProblemError? {
        switch self {
        case .unknownModel: .notFound("Model")
        case .notValidated:
            .conflict(
                "The model has not passed its validation gates; its card says which. Deploy it with \"force\": true to use it anyway.",
                code: .modelNotValidated)
        case .archived: .conflict("The model is archived and cannot be deployed.")
        case .deployed: .conflict("The model is deployed; deploy another one before archiving it.")
        case .nothingToRollBackTo: .conflict("There is no earlier deployment to roll back to.")
        }
    }
}
