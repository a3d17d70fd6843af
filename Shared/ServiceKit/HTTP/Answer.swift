public import Contracts
import Foundation
public import HTTPTypes
public import Hummingbird
import NIOCore
import ServiceIdentity

/// The bodies of docs/architecture.md#wire-conventions. Handlers answer with a ``RouteAnswer``, which is written by these.
public enum Answer {
    /// `{"success": true, "data": …}`
    public static func data<T: Codable & Sendable>(
        _ payload: T, status: HTTPResponse.Status = .ok, headers: HTTPFields = [:], warnings: [PlanningWarning]? = nil
    ) throws -> Response {
        try json(Success(payload, warnings: warnings), status: status, headers: headers)
    }

    /// One page of the list that the request has asked for.
    public static func list<T: Codable & Sendable>(_ items: [T], nextCursor: String?) throws -> Response {
        try json(Success(items, page: page(nextCursor)), status: .ok, headers: [:])
    }

    /// The same for items that are JSON already.
    static func list(json items: [[UInt8]], nextCursor: String?) throws -> Response {
        var body = ByteBuffer()
        body.writeStaticString(#"{"data":["#)
        for (place, item) in items.enumerated() {
            if place > 0 { body.writeStaticString(",") }
            body.writeBytes(item)
        }
        body.writeStaticString(#"],"page":"#)
        body.writeBytes(try WireJSON.encode(page(nextCursor)))
        body.writeStaticString(#","success":true}"#)
        return Response(status: .ok, headers: [.contentType: "application/json"], body: .inPieces(body))
    }

    private static func page(_ nextCursor: String?) -> Page {
        Page(nextCursor: nextCursor.map { ListCursor.wrap($0, of: ListCursor.list) })
    }

    public static func noContent() -> Response { Response(status: .noContent) }

    /// One resource with its `ETag`; 304 when the client has it already.
    public static func resource<T: Codable & Sendable>(
        _ payload: T, tag: EntityTag, for request: Request, status: HTTPResponse.Status = .ok
    ) throws -> Response {
        let isRead = request.method == .get || request.method == .head
        if isRead, tag.matches(request.headers[values: .ifNoneMatch], weakly: true) {
            return Response(status: .notModified, headers: [.eTag: tag.headerValue])
        }
        return try data(payload, status: status, headers: [.eTag: tag.headerValue])
    }

    /// A problem; middleware that throws ``ProblemError`` needs no call of this.
    public static func problem(_ problem: ProblemError, requestID: String) -> Response {
        let (fields, body) = written(problem, requestID: requestID)
        return Response(status: problem.status, headers: fields, body: .init(byteBuffer: body))
    }

    /// The fields and the body of a problem.
    static func written(_ problem: ProblemError, requestID: String) -> (fields: HTTPFields, body: ByteBuffer) {
        let bytes = (try? WireJSON.encode(Problem(problem, requestID: requestID))) ?? []
        var fields = problem.headers
        fields[.contentType] = Problem.mediaType
        fields[.cacheControl] = "no-store"
        return (fields, ByteBuffer(bytes: bytes))
    }

    private static func json(
        _ body: some Encodable, status: HTTPResponse.Status, headers: HTTPFields
    ) throws -> Response {
        var headers = headers
        headers[.contentType] = "application/json"
        return Response(
            status: status, headers: headers, body: .init(byteBuffer: ByteBuffer(bytes: try WireJSON.encode(body))))
    }
}

extension HTTPFields {
    /// For answers that hold a secret.
    public static var notStored: HTTPFields { [.cacheControl: "no-store"] }
}

/// A strong entity tag (RFC 9110 §8.8.3).
public struct EntityTag: Sendable, Hashable {
    let opaque: String

    /// - Parameter version: anything that changes whenever the resource does: a row's version or `updated_at`.
    public init(version: some CustomStringConvertible) {
        // Hashed so that it is always fit for a header, and says nothing.
        opaque = Base64URL.encode(RandomToken.digest(version.description).prefix(15))
    }

    /// Of the content itself: equal values have equal tags.
    public init(of payload: some Encodable) throws {
        opaque = Base64URL.encode(
            RandomToken.digest(String(decoding: try WireJSON.encode(payload), as: UTF8.self)).prefix(15))
    }

    public var headerValue: String { "\"\(opaque)\"" }

    /// - Throws: ``ProblemError`` 412 when the request has an `If-Match` that this tag does not satisfy, or an `If-None-Match` that it
    ///   does, such as `*` where only something new is to be stored.
    public func checkIfMatch(_ request: Request) throws {
        let values = request.headers[values: .ifMatch]
        guard values.isEmpty || matches(values, weakly: false) else { throw ProblemError.preconditionFailed() }
        guard !matches(request.headers[values: .ifNoneMatch], weakly: true) else {
            throw ProblemError.preconditionFailed("The resource is there, with a tag that If-None-Match excludes.")
        }
    }

    /// Whether an `If-Match` or an `If-None-Match` names the tag; `*` names every one.
    public func matches(_ values: [String], weakly: Bool) -> Bool {
        values.joined(separator: ",").split(separator: ",").contains { item in
            var text = item.trimmingCharacters(in: .whitespaces)
            if text == "*" { return true }
            if weakly, text.hasPrefix("W/") { text.removeFirst(2) }
            return text == headerValue
        }
    }
}
