import Contracts
import HTTPTypes
public import Postgres
public import ServiceKit

extension PostgresError: ProblemConvertible {
    /// The client's problem for a failure of the database.
    ///
    /// Code that writes a statement knows the constraints it may violate and should map them to a better problem there.
    /// The texts here are general: they never name a constraint or quote a value.
    public var problem: ProblemError? {
        switch code {
        case .poolExhausted: .unavailable("The service is busy; try again in a moment.", cause: self)
        case .connectionFailed, .connectionLost, .poolClosed:
            .unavailable("The database is not available at the moment.", cause: self)
        case .schemaPending: .unavailable("The service's migrations are not applied yet.", cause: self)
        case .timedOut: .unavailable("The database did not answer in time.", cause: self)
        case .cancelled: ProblemError(mapping: CancellationError())
        case .server: sqlState.flatMap(problem(sqlState:))
        default: nil
        }
    }

    private func problem(sqlState: String) -> ProblemError? {
        switch sqlState {
        case "23505": return .conflict("A resource with this key already exists.")
        case "23503": return .conflict("The resource refers to a missing resource or is still in use.")
        // Values that passed the service's validation and yet do not fit the column.
        case "22001", "22003", "22007", "22008", "22P05", "23502", "23514":
            return .validation("", "holds a value that is out of range")
        // The server does not name the field, so the problem lists none.
        case "54000":
            return ProblemError(
                status: .unprocessableContent, code: .validationFailed,
                "The request holds a value that is too large to be stored.")
        case "40001", "40P01", "55P03":
            return .unavailable(
                "The service is busy with a change to the same data; try again in a moment.", cause: self)
        case PostgresError.diskFull:
            return .unavailable(
                "The database has no space left at the moment; try again later.", retryAfter: .seconds(30), cause: self)
        case "57P01", "57P02", "57P03", "53300", "53400":
            return .unavailable("The database is not available at the moment.", cause: self)
        default: return nil
        }
    }
}
