public import Contracts
public import HTTPTypes

/// A failure that the client is told about; thrown anywhere below a route, written by the one place that writes
/// `application/problem+json`.
public struct ProblemError: Error, Sendable, CustomStringConvertible {
    public var status: HTTPResponse.Status
    public var code: ErrorCode
    /// What to change, in one sentence. Shown to the client: never anything internal.
    public var sentence: String
    public var errors: [FieldError]
    public var headers: HTTPFields
    /// For the log only.
    public var cause: (any Error)?

    public init(
        status: HTTPResponse.Status, code: ErrorCode, _ sentence: String, errors: [FieldError] = [],
        headers: HTTPFields = [:], cause: (any Error)? = nil
    ) {
        self.status = status
        self.code = code
        self.sentence = sentence
        self.errors = errors
        self.headers = headers
        self.cause = cause
    }

    public var description: String { "\(status.code) \(code): \(sentence)" }
}

extension ProblemError {
    /// - Parameter thing: "Project", "Training job".
    public static func notFound(_ thing: String, code: ErrorCode = .notFound) -> ProblemError {
        ProblemError(status: .notFound, code: code, "\(thing) not found.")
    }

    public static func conflict(_ sentence: String, code: ErrorCode = .conflict, errors: [FieldError] = [])
        -> ProblemError
    {
        ProblemError(status: .conflict, code: code, sentence, errors: errors)
    }

    /// Well-formed but not acceptable: every bad field.
    public static func validation(_ errors: [FieldError]) -> ProblemError {
        let sentence =
            switch errors.count {
            case 1 where errors[0].field.isEmpty: "The request \(errors[0].message)."
            case 1: "\(errors[0].field) \(errors[0].message)."
            default: "\(errors.count) fields of the request are not valid."
            }
        return ProblemError(status: .unprocessableContent, code: .validationFailed, sentence, errors: errors)
    }

    public static func validation(_ field: String, _ message: String) -> ProblemError {
        validation([FieldError(field: field, message: message)])
    }

    public static func malformed(_ sentence: String) -> ProblemError {
        ProblemError(status: .badRequest, code: .malformedRequest, sentence)
    }

    public static func notAuthenticated(
        _ sentence: String = "Authentication is required.", code: ErrorCode = .notAuthenticated
    ) -> ProblemError {
        ProblemError(status: .unauthorized, code: code, sentence, headers: [.wwwAuthenticate: "Bearer"])
    }

    public static func permissionDenied(
        _ sentence: String = "You do not have the permission for this.", code: ErrorCode = .permissionDenied
    ) -> ProblemError {
        ProblemError(status: .forbidden, code: code, sentence)
    }

    /// The request names no tenant and its resource lies inside one.
    public static let tenantRequired = ProblemError(
        status: .badRequest, code: .tenantRequired, "Name the tenant: use its subdomain, or send X-Tenant-ID.")

    public static func preconditionFailed(
        _ sentence: String = "The resource has changed since you read it; read it again."
    ) -> ProblemError {
        ProblemError(status: .preconditionFailed, code: .preconditionFailed, sentence)
    }

    public static func payloadTooLarge(limit: Int) -> ProblemError {
        ProblemError(
            status: .contentTooLarge, code: .payloadTooLarge, "The request body is larger than \(limit) bytes.",
            errors: [])
    }

    /// The client was too slow with its request; the connection must be closed.
    public static func requestTimeout(cause: (any Error)? = nil) -> ProblemError {
        ProblemError(
            status: .requestTimeout, code: .requestTimeout, "The request's body took too long to arrive.",
            headers: [.connection: "close"], cause: cause)
    }

    public static func rateLimited(
        _ sentence: String, retryAfter: Duration, code: ErrorCode = .rateLimited
    ) -> ProblemError {
        ProblemError(status: .tooManyRequests, code: code, sentence, headers: [.retryAfter: wholeSeconds(retryAfter)])
    }

    /// Nothing is wrong with the request; it may be sent again.
    public static func unavailable(
        _ sentence: String, retryAfter: Duration = .seconds(1), cause: (any Error)? = nil
    ) -> ProblemError {
        ProblemError(
            status: .serviceUnavailable, code: .serviceUnavailable, sentence,
            headers: [.retryAfter: wholeSeconds(retryAfter)], cause: cause)
    }

    /// A fault of the service. Its cause goes to the log only.
    public static func internalError(cause: (any Error)?) -> ProblemError {
        ProblemError(
            status: .internalServerError, code: .internalError,
            "Internal error; its cause is in the log under the request id.", cause: cause)
    }

    /// `Retry-After` has no fractions, and a retry that is too early is wasted.
    private static func wholeSeconds(_ duration: Duration) -> String {
        let (seconds, attoseconds) = duration.components
        return String(max(1, seconds + (attoseconds > 0 ? 1 : 0)))
    }
}

/// An error of another part that knows which problem it is for the client; it is mapped wherever it is thrown.
public protocol ProblemConvertible: Error {
    /// nil when it is nothing the client could do anything about (a 500).
    var problem: ProblemError? { get }
}
