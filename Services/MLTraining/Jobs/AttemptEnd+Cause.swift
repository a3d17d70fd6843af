import Basics
import Contracts
import Forecasting
import HTTPClient
import HTTPTypes
import HistoryFeed
import Postgres
import ServiceKit

extension AttemptEnd {
    /// Sorts what an attempt threw into what would happen again and what may well go away.
    init(_ error: any Error) {
        switch error {
        case let end as AttemptEnd:
            self = end
        case let error as TrainingError where error.code == .tooLittleHistory:
            self = .failed(JobFailure(code: .notEnoughHistory, sentence: error.description))
        case let error as TrainingError:
            self = .failed(JobFailure(code: .trainingFailed, sentence: error.description))
        case is DatasetDamaged:
            self = .failed(
                JobFailure(code: .trainingFailed, sentence: "The stored dataset is damaged; start a new job."))
        case is HistoryFeedError, is HTTPClientError:
            self = .interrupted(.historyUnavailable)
        case let error as ProblemError where [502, 503, 504].contains(error.status.code):
            self = .interrupted(.historyUnavailable)
        case let error as ProblemError where [403, 404].contains(error.status.code):
            self = .failed(
                JobFailure(code: .tenantUnavailable, sentence: "The tenant is suspended or does not exist any more."))
        case let error as PostgresError where error.isTransient:
            self = .interrupted(JobFailure(code: .serviceUnavailable, sentence: "The database did not answer."))
        case is SpillError:
            self = .interrupted(
                JobFailure(
                    code: .serviceUnavailable, sentence: "The training node's disk could not hold the history."))
        default:
            self = .failed(
                JobFailure(code: .internalError, sentence: "Training stopped because of an internal error."))
        }
    }
}

extension JobFailure {
    static let historyUnavailable = JobFailure(
        code: .upstreamFailed, sentence: "The tenant's history could not be read: tenant-admin did not answer.")
}

extension PostgresError {
    /// Trouble of the connection or of two transactions meeting, not of the statement.
    var isTransient: Bool {
        let codes: [PostgresError.Code] = [
            .connectionFailed, .connectionLost, .poolExhausted, .poolClosed, .timedOut, .cancelled,
        ]
        return isRetryable || codes.contains(code)
    }
}
