import Basics
import Contracts
import HTTPTypes
import ServiceKit

/// Why a model that is deployed does not answer.
struct ModelRefusal: Error, ProblemConvertible, Equatable {
    enum Cause: String, Sendable {
        /// Its bytes are not what was stored, or none of this version.
        case damaged
        case selfTest = "self_test"
    }

    let cause: Cause
    /// In words.
    let reason: String

    static let damaged = ModelRefusal(
        cause: .damaged, reason: "its artefact is damaged, or of another version of the platform")

    var problem: ProblemError? {
        switch cause {
        case .damaged: .damagedModel
        case .selfTest:
            ProblemError(
                status: .badGateway, code: .upstreamFailed,
                "The deployed model failed its self-test: \(reason). Deploy another model.")
        }
    }
}

/// The artefacts that were refused, by digest: each is fetched and tried again only after a while, for what damaged it may have
/// been on the way.
struct RefusedModels: Sendable {
    typealias Instant = ContinuousClock.Instant

    let retryAfter: Duration
    private var refused = RecentEntries<String, (refusal: ModelRefusal, at: Instant)>(maximumCount: 1_000)

    init(retryAfter: Duration = .seconds(30)) { self.retryAfter = retryAfter }

    /// nil for one that is to be tried.
    func refusal(of digest: String, now: Instant) -> ModelRefusal? {
        refused[digest].flatMap { now - $0.at < retryAfter ? $0.refusal : nil }
    }

    mutating func refuse(_ digest: String, _ refusal: ModelRefusal, now: Instant) {
        refused.insert((refusal, now), for: digest)
    }

    mutating func accept(_ digest: String) { refused.remove(digest) }
}
