import HTTPTypes
import NIOHTTP1

extension HTTPRequestHead {
    /// What goes to a node of the upstream.
    ///
    /// - Parameters:
    ///   - fields: all but `Host` and `Content-Length`.
    ///   - host: the node's.
    init(_ match: MatchedRoute, _ fields: [(name: String, value: String)], bodyBytes: Int?, to host: String) {
        var headers = HTTPHeaders()
        headers.reserveCapacity(fields.count + 2)
        headers.add(name: "Host", value: host)
        for (name, value) in fields { headers.add(name: name, value: value) }
        let method = HTTPMethod(rawValue: match.method)
        if let bodyBytes {
            headers.add(name: "Content-Length", value: "\(bodyBytes)")
        } else if method != .GET, method != .DELETE {
            headers.add(name: "Content-Length", value: "0")
        }
        self.init(version: .http1_1, method: method, uri: match.path.target, headers: headers)
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
