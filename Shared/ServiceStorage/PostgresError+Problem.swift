import Contracts
import HTTPTypes
public import Postgres
public import ServiceKit

extension PostgresError: ProblemConvertible {
    /// What a client is told of trouble with the database.
    ///
    /// Violated constraints are known to the code that wrote the statement and should be turned into something better
    /// there; what arrives here is told in general words, never with the constraint's name or a value.
    public var problem: ProblemError? {
        switch code {
        case .poolExhausted: .unavailable("The service is busy; try again in a moment.", cause: self)
        case .connectionFailed, .connectionLost, .poolClosed:
            .unavailable("The database is not available at the moment.", cause: self)
        case .timedOut: .unavailable("The database did not answer in time.", cause: self)
        case .cancelled: ProblemError(mapping: CancellationError())
        case .server: sqlState.flatMap(problem(sqlState:))
        default: nil
        }
    }

    private func problem(sqlState: String) -> ProblemError? {
        switch sqlState {
        case "23505": return .conflict("There is already one with the same key.")
        case "23503": return .conflict("Something it refers to, or that refers to it, is in the way.")
        // Values that passed our validation and yet do not fit the column.
        case "22001", "22003", "22007", "22008", "22P05", "23502", "23514":
            return .validation("", "holds a value that is out of range")
        // Nobody knows which field it was; one without a name would only puzzle the client.
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
