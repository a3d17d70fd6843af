extension HTTPClientRequest {
    /// The request to which `response` sends on, or `nil` if it is an answer for the caller.
    ///
    /// - Throws: `badRedirect` if redirects are followed but this one must not be.
    func redirected(
        by response: HTTPClientResponse, redirectsBefore: Int
    ) throws(HTTPClientError) -> HTTPClientRequest? {
        guard maximumRedirects > 0, [301, 302, 303, 307, 308].contains(response.status),
            let location = response["Location"]
        else { return nil }
        guard redirectsBefore < maximumRedirects else { throw Self.badRedirect("There are too many redirects.") }
        guard let target = CurlURL.resolve(location, against: url) else {
            throw Self.badRedirect("The redirect's target is not a URL.")
        }
        let from = try PreparedRequest.checkedURL(url)
        guard let to = try? PreparedRequest.checkedURL(target), from.scheme == "http" || to.scheme == "https" else {
            throw Self.badRedirect("The redirect leads to a place that must not be followed.")
        }
        var next = self
        next.url = target
        switch response.status {
        case 303 where method != "HEAD", 301 where method == "POST", 302 where method == "POST":
            next.method = "GET"
            next.body = .none
            next.headers.removeAll { $0.name.lowercased().hasPrefix("content-") }
        default:
            guard body.isReplayable else {
                throw Self.badRedirect("A streamed request body cannot be sent again to the redirect's target.")
            }
        }
        if (from.scheme, from.host, from.port) != (to.scheme, to.host, to.port) {
            // Credentials are for the origin they were given for.
            next.headers.removeAll {
                ["authorization", "cookie", "proxy-authorization", "host"].contains($0.name.lowercased())
            }
        }
        return next
    }

    private static func badRedirect(_ message: String) -> HTTPClientError {
        HTTPClientError(.badRedirect, message, requestMayHaveBeenProcessed: true)
    }
}
