import HTTPTypes
import NIOCore
import NIOHTTP1

extension ByteBuffer {
    /// The head of a request to a node of the upstream, as it is sent.
    ///
    /// - Parameters:
    ///   - fields: all but `Host` and `Content-Length`; without line breaks.
    ///   - bodyBytes: nil: there is no body.
    ///   - host: the node's.
    init(
        headOf match: MatchedRoute, _ fields: [(name: String, value: String)], bodyBytes: Int?, to host: String
    ) {
        self.init()
        let ownBytes = match.method.utf8.count + match.path.target.utf8.count + host.utf8.count + 64
        reserveCapacity(fields.reduce(ownBytes) { $0 + $1.name.utf8.count + $1.value.utf8.count + 4 })
        writeString(match.method)
        writeStaticString(" ")
        writeString(match.path.target)
        writeStaticString(" HTTP/1.1\r\n")
        writeField("Host", host)
        for (name, value) in fields { writeField(name, value) }
        if bodyBytes != nil || match.method != "GET" && match.method != "DELETE" {
            writeField("Content-Length", "\(bodyBytes ?? 0)")
        }
        writeStaticString("\r\n")
    }

    private mutating func writeField(_ name: String, _ value: String) {
        writeString(name)
        writeStaticString(": ")
        writeString(value)
        writeStaticString("\r\n")
    }
}

extension HTTPResponse {
    /// What the client gets of the upstream's answer, and how many bytes of body follow; nil: unknown.
    static func relayed(_ head: HTTPResponseHead) -> (response: HTTPResponse, bodyBytes: Int?) {
        let status = HTTPResponse.Status(code: Int(head.status.code))
        var response = HTTPResponse(status: status, headerFields: RewriteStage().response(head.headers))
        let hasBody = status.code != 204 && status.code != 304
        guard hasBody else { return (response, 0) }
        let length = head.headers.first(name: "content-length").flatMap { Int($0) }
        if let length { response.headerFields[.contentLength] = "\(length)" }
        return (response, length)
    }
}
