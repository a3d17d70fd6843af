public import HTTPTypes
public import Hummingbird

/// 200.
public struct OK<Payload: Codable & Sendable>: RouteAnswer {
    let payload: Payload
    let headers: HTTPFields

    public init(_ payload: Payload, headers: HTTPFields = [:]) {
        self.payload = payload
        self.headers = headers
    }

    public static var description: AnswerDescription { .init(.ok, content: [.data(Payload.self)]) }
    public func response(to request: Request) throws -> Response { try Answer.data(payload, headers: headers) }
}

/// 200, one resource with its `ETag`; 304 when the client has it already.
public struct Tagged<Payload: Codable & Sendable>: RouteAnswer {
    let payload: Payload
    let tag: EntityTag

    /// With the tag of the content itself.
    public init(_ payload: Payload) throws { self.init(payload, tag: try EntityTag(of: payload)) }

    public init(_ payload: Payload, tag: EntityTag) {
        self.payload = payload
        self.tag = tag
    }

    public static var description: AnswerDescription {
        .init(.ok, content: [.data(Payload.self)], headers: [.eTag], isConditional: true)
    }

    public func response(to request: Request) throws -> Response {
        try Answer.resource(payload, tag: tag, for: request)
    }
}

/// 201, a new resource and where it is.
public struct Created<Payload: Codable & Sendable>: RouteAnswer {
    let payload: Payload
    let headers: HTTPFields

    /// - Parameter path: of the resource below the API's root; nil where it cannot be read again.
    public init(_ payload: Payload, at path: String?, headers: HTTPFields = [:]) throws {
        self.payload = payload
        var headers = headers
        if let path {
            headers[.location] = "/api/v1/\(path)"
            headers[.eTag] = try EntityTag(of: payload).headerValue
        }
        self.headers = headers
    }

    public static var description: AnswerDescription {
        .init(.created, content: [.data(Payload.self)], headers: [.eTag, .location])
    }

    public func response(to request: Request) throws -> Response {
        try Answer.data(payload, status: .created, headers: headers)
    }
}

/// 200, or 201 when a PUT made the resource.
public struct Stored<Payload: Codable & Sendable>: RouteAnswer {
    let payload: Payload
    let isNew: Bool

    public init(_ payload: Payload, isNew: Bool) {
        self.payload = payload
        self.isNew = isNew
    }

    public static var description: AnswerDescription {
        .init(.ok, .created, content: [.data(Payload.self)], headers: [.eTag])
    }

    public func response(to request: Request) throws -> Response {
        try Answer.data(
            payload, status: isNew ? .created : .ok, headers: [.eTag: try EntityTag(of: payload).headerValue])
    }
}

/// 202: it has begun and goes on.
public struct Accepted<Payload: Codable & Sendable>: RouteAnswer {
    let payload: Payload

    public init(_ payload: Payload) { self.payload = payload }

    public static var description: AnswerDescription { .init(.accepted, content: [.data(Payload.self)]) }
    public func response(to request: Request) throws -> Response { try Answer.data(payload, status: .accepted) }
}

/// 204.
public struct NoContent: RouteAnswer {
    let headers: HTTPFields

    public init(headers: HTTPFields = [:]) { self.headers = headers }

    public static var description: AnswerDescription { .init(.noContent) }
    public func response(to request: Request) throws -> Response { Response(status: .noContent, headers: headers) }
}
