import Contracts
import HTTPClient
import HTTPTypes
import Hummingbird
import NIOCore
import NIOHTTP1
import ServiceIdentity

extension ProblemError {
    /// The client closed the connection before the answer, which is never read (nginx's 499).
    static let clientClosedRequest = HTTPResponse.Status(code: 499, reasonPhrase: "Client Closed Request")

    /// Any error as a problem. What is not known is a 500 whose cause only the log shows.
    public init(mapping error: any Error) {
        switch error {
        case let problem as ProblemError: self = problem
        case let error as any ProblemConvertible:
            self = error.problem ?? .internalError(cause: error)
            if cause == nil { cause = error }
        case is IdentityError:
            self = .notAuthenticated("The internal assertion is missing or not valid.")
            cause = error
        case let error as PasswordHashError where error.code == .busy:
            self = .unavailable("Too many logins at once; try again in a moment.", cause: error)
        case let error as HTTPClientError: self.init(error)
        case let error as HTTPError: self.init(status: error.status, message: error.body, headers: error.headers)
        case is NIOTooManyBytesError:
            self.init(status: .contentTooLarge, message: nil, headers: [:])
        case let error as any HTTPResponseError: self.init(status: error.status, message: nil, headers: [:])
        case let error as DecodingError: self.init(error)
        case let error as HTTPParserError where error != .invalidEOFState && error != .closedConnection:
            self.init(parserError: error)
            // The start of the next request is unknown.
            headers[.connection] = "close"
        // A body that ends before its length does is a client that hung up as well.
        case is CancellationError, is ChannelError, is IOError, is HTTPParserError:
            self.init(
                status: Self.clientClosedRequest, code: .malformedRequest,
                "The client closed the connection before the answer.", cause: error)
        default: self = .internalError(cause: error)
        }
    }

    /// A status that Hummingbird or a proxy chose, in our words.
    init(status: HTTPResponse.Status, message: String?, headers: HTTPFields) {
        let (code, sentence): (ErrorCode, String) =
            switch status.code {
            case 400: (.malformedRequest, "The request is malformed.")
            case 401: (.notAuthenticated, "Authentication is required.")
            case 403: (.permissionDenied, "You do not have the permission for this.")
            case 404: (.notFound, "There is nothing at this address.")
            case 405: (.methodNotAllowed, "This resource does not support this method.")
            case 408: (.requestTimeout, "The request took too long to arrive.")
            case 409: (.conflict, "The request conflicts with the current state.")
            case 412: (.preconditionFailed, "The resource has changed since you read it; read it again.")
            case 413: (.payloadTooLarge, "The request body is too large.")
            case 415: (.unsupportedMediaType, "The body must be application/json.")
            case 422: (.validationFailed, "The request is not valid.")
            case 429: (.rateLimited, "Too many requests; try again later.")
            case 502: (.upstreamFailed, "A service behind this one gave no usable answer.")
            case 503: (.serviceUnavailable, "The service is not available at the moment.")
            case 504: (.upstreamTimeout, "A service behind this one did not answer in time.")
            case 500...: (.internalError, "Internal error; its cause is in the log under the request id.")
            default: (.malformedRequest, "The request cannot be served.")
            }
        // A 5xx's message may quote internals.
        self.init(
            status: status, code: code, status.code < 500 ? message.map(Self.asSentence) ?? sentence : sentence,
            headers: headers)
    }

    private init(_ error: HTTPClientError) {
        if error.isTimeout {
            self.init(
                status: .gatewayTimeout, code: .upstreamTimeout, "A service behind this one did not answer in time.",
                cause: error)
        } else if error.code == .cancelled {
            self.init(
                status: Self.clientClosedRequest, code: .malformedRequest,
                "The client closed the connection before the answer.", cause: error)
        } else if error.isRetryable || error.code == .shutDown {
            self = .unavailable("A service behind this one is not available at the moment.", cause: error)
        } else {
            self.init(
                status: .badGateway, code: .upstreamFailed, "A service behind this one gave no usable answer.",
                cause: error)
        }
    }

    /// One that `StrictJSON` did not catch: a field of a request decoded by other means.
    private init(_ error: DecodingError) {
        switch error {
        case .keyNotFound(let key, let context):
            self = .validation(JSONPath(context.codingPath + [key]).text, "is missing")
        case .typeMismatch(_, let context), .valueNotFound(_, let context), .dataCorrupted(let context):
            self =
                context.codingPath.isEmpty
                ? .malformed("The request is malformed.")
                : .validation(JSONPath(context.codingPath).text, "is not valid")
        @unknown default: self = .malformed("The request is malformed.")
        }
        cause = error
    }

    private static func asSentence(_ message: String) -> String {
        message.hasSuffix(".") ? message : message + "."
    }
}
