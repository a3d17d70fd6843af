public import HTTPTypes
public import Hummingbird

/// What a handler answers: its type alone says status, media type, body and headers.
public protocol RouteAnswer: Sendable {
    static var description: AnswerDescription { get }
    func response(to request: Request) throws -> Response
}

/// ``RouteAnswer`` as a value, for the API's description.
public struct AnswerDescription: Sendable {
    public enum Content: Sendable {
        /// `{"success": true, "data": …}`
        case data(any (Codable & Sendable).Type)
        /// The same with an array and the `page` that says where the list goes on.
        case list(any (Codable & Sendable).Type)
        /// JSON outside of the envelope.
        case document(any (Codable & Sendable).Type, mediaType: String)
        case bytes(mediaType: String)
        case text(mediaType: String)
    }

    public enum Header: Sendable, Hashable { case eTag, location, setCookie }

    /// Success, the likeliest first.
    public let statuses: [HTTPResponse.Status]
    public let content: [Content]
    public let headers: Set<Header>
    /// 304 to an `If-None-Match` that matches.
    public let isConditional: Bool
    /// `warnings` stand beside `data`.
    public let hasWarnings: Bool

    public init(
        _ statuses: HTTPResponse.Status..., content: [Content] = [], headers: Set<Header> = [],
        isConditional: Bool = false, hasWarnings: Bool = false
    ) {
        self.statuses = statuses
        self.content = content
        self.headers = headers
        self.isConditional = isConditional
        self.hasWarnings = hasWarnings
    }
}

extension AnswerDescription.Content {
    public var mediaType: String {
        switch self {
        case .data, .list: "application/json"
        case .document(_, let mediaType), .bytes(let mediaType), .text(let mediaType): mediaType
        }
    }
}
