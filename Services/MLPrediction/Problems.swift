import Contracts
import HTTPTypes
import ServiceKit

// The domain's refusals in the words of the API; the one error middleware asks for them.

extension ProblemError {
    static var historyUnavailable: ProblemError {
        .unavailable(
            "The tenant's history cannot be read at the moment, so no prediction can be made; try again shortly.")
    }

    static var historyLoading: ProblemError {
        .unavailable(
            "The tenant's history is being loaded, which takes a while when there is much of it; try again shortly.",
            retryAfter: .seconds(5))
    }

    static var overloaded: ProblemError {
        .unavailable("More predictions are being asked for than this node can answer; try again in a moment.")
    }

    static var damagedModel: ProblemError {
        ProblemError(
            status: .badGateway, code: .upstreamFailed,
            "The deployed model's artefact is damaged; deploy another model.")
    }
}
