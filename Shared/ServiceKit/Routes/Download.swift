public import HTTPTypes
public import Hummingbird

/// A body that is no JSON of ours, of one media type.
public protocol DownloadKind: Sendable {
    static var content: AnswerDescription.Content { get }
}

/// 200, a file or a stream.
public struct Download<Kind: DownloadKind>: RouteAnswer {
    let body: ResponseBody
    let headers: HTTPFields

    /// - Parameter headers: beside `Content-Type`, which is the kind's.
    public init(_ kind: Kind.Type, headers: HTTPFields = [:], body: ResponseBody) {
        self.body = body
        self.headers = headers
    }

    public static var description: AnswerDescription { .init(.ok, content: [Kind.content]) }

    public func response(to request: Request) throws -> Response {
        var headers = headers
        headers[.contentType] = Kind.content.mediaType
        return Response(status: .ok, headers: headers, body: body)
    }
}

/// Newline-delimited JSON.
public enum NDJSON: DownloadKind {
    public static var content: AnswerDescription.Content { .text(mediaType: "application/x-ndjson") }
}

/// Server-sent events.
public enum EventStream: DownloadKind {
    public static var content: AnswerDescription.Content { .text(mediaType: "text/event-stream") }
}

public enum ZIPArchive: DownloadKind {
    public static var content: AnswerDescription.Content { .bytes(mediaType: "application/zip") }
}

public enum BinaryFile: DownloadKind {
    public static var content: AnswerDescription.Content { .bytes(mediaType: "application/octet-stream") }
}
