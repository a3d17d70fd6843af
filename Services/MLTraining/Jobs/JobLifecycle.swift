import Basics
import Contracts

/// Why a job ended without a model, as its owner reads it.
struct JobFailure: Error, Sendable, Equatable {
    let code: ErrorCode
    /// One sentence in a planner's words.
    let sentence: String
}

/// How one attempt at a job ended, when it gave no model.
enum AttemptEnd: Error, Sendable, Equatable {
    /// Would end the same way again.
    case failed(JobFailure)
    /// May well succeed later: another service or the database did not answer.
    case interrupted(JobFailure)
    /// Its owner asked for that.
    case cancelled
    /// This process is stopping.
    case shuttingDown
    /// Another worker holds the job now; nothing may be written any more.
    case leaseLost
}

/// What to do with a job next, decided from what is known of its past. Pure: no clock, no database.
struct JobLifecycle: Sendable, Equatable {
    /// Transient failures in a row so far.
    var failures: Int
    /// Claims since it last got further, this one included.
    var fruitlessClaims: Int
    var cancelRequested: Bool

    enum Step: Sendable, Equatable {
        case work
        case cancel
        case fail(JobFailure)
        case retry(after: Duration)
        /// Back into the queue at once, for whichever worker is free.
        case release
        /// Write nothing.
        case letGo
    }

    /// Some seven minutes of trying.
    static let maximumFailures = 12
    /// A job whose workers die again and again without getting further would go on doing that for ever.
    static let maximumFruitlessClaims = 15

    /// After the job was taken up.
    func onClaim() -> Step {
        if cancelRequested { return .cancel }
        if fruitlessClaims > Self.maximumFruitlessClaims {
            return .fail(
                JobFailure(
                    code: .trainingFailed,
                    sentence: "The job was interrupted \(fruitlessClaims - 1) times without getting further."))
        }
        return .work
    }

    func onEnd(_ end: AttemptEnd) -> Step {
        switch end {
        case .failed(let failure): .fail(failure)
        case .interrupted(let failure):
            if cancelRequested {
                .cancel
            } else if failures + 1 >= Self.maximumFailures {
                .fail(failure)
            } else {
                .retry(after: Self.backoff.pause(after: failures + 1))
            }
        case .cancelled: .cancel
        case .shuttingDown: .release
        case .leaseLost: .letGo
        }
    }

    static let backoff = Backoff(first: .seconds(1), maximum: .seconds(60))
}

extension ErrorCode {
    /// A training job failed for a reason that is not the history's size.
    static let trainingFailed = Self(rawValue: "training_failed")
}
