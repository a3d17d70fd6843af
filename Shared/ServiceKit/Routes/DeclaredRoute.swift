public import Contracts

/// What is said of a route where it is declared: from here come the router's entry, the check of its caller, the comparison
/// with the gateway's table and the description in OpenAPI.
public struct DeclaredRoute: Sendable {
    /// What a client's function for it is called: `listEmployees`.
    public let name: String
    public let method: RouteMethod
    /// From the root: `/api/v1/employees/{id}`.
    public let path: String
    public let pathParameters: [RoutePath.Parameter]
    public let access: AccessRule
    public let query: [QueryParameter]
    public let headers: Set<RouteHeader>
    public let body: RouteBody?
    public let answer: AnswerDescription
    /// Reasons to refuse of the route's own, beside those that follow from the rest.
    public let fails: Set<ErrorCode>

    /// `GET /api/v1/employees/{id}`
    public var title: String { "\(method.rawValue) \(path)" }
}

public enum RouteMethod: String, Sendable, CaseIterable {
    case get = "GET"
    case post = "POST"
    case put = "PUT"
    case patch = "PATCH"
    case delete = "DELETE"
}

/// A header that a route understands.
public enum RouteHeader: Sendable, Hashable {
    /// A creation sent twice happens once.
    case idempotencyKey
    /// The change is made only to the version that the client has seen.
    case ifMatch
    /// Where a stream of events goes on.
    case lastEventID
    /// Where in a body the JSON ends and binary tensor data begin.
    case inferenceHeaderLength
    /// A browser's session, where no body names the refresh token.
    case sessionCookie

    public static let sessionCookieName = "erm_session"
}

/// What a request may carry.
public struct RouteBody: Sendable {
    public enum Content: Sendable {
        case json(any RequestPayload.Type)
        /// A file of one of these media types.
        case file([String])
        /// JSON, or a file of one of these media types that begins with it.
        case jsonOrFile(any RequestPayload.Type, [String])
    }

    public let content: Content
    public let isRequired: Bool

    public init(_ content: Content, isRequired: Bool = true) {
        self.content = content
        self.isRequired = isRequired
    }
}
