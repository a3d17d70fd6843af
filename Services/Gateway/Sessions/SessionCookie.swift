import Foundation
import HTTPTypes
import Hummingbird
import ServiceKit

/// A browser's session: the refresh token in a cookie that no script can read and that goes to the routes of sessions only.
///
/// A page of another site can make a browser send the cookie in spite of `SameSite`, through an old browser or a sibling
/// domain. So a request that relies on it must come from a page of our own origin.
struct SessionCookie: Sendable {
    static let name = RouteHeader.sessionCookieName
    static let path = "/api/v1/auth"

    /// `Set-Cookie` with a token.
    /// - Parameters:
    ///   - lifetime: seconds.
    ///   - scheme: of the client's connection; by https the cookie never goes out in the clear.
    static func setting(_ token: String, lifetime: TimeInterval, scheme: String) -> HTTPFields {
        header("\(name)=\(token)", seconds: Int(lifetime), scheme: scheme)
    }

    /// `Set-Cookie` that takes the token away.
    static func clearing(scheme: String) -> HTTPFields { header("\(name)=", seconds: 0, scheme: scheme) }

    private static func header(_ pair: String, seconds: Int, scheme: String) -> HTTPFields {
        let parts = [pair, "Path=\(path)", "Max-Age=\(seconds)", "HttpOnly", "SameSite=Strict"]
        return [.setCookie: (parts + (scheme == "https" ? ["Secure"] : [])).joined(separator: "; ")]
    }

    /// The token in a request's cookie.
    /// - Throws: ``ProblemError`` 401 without one, 403 for a request that no page of ours has sent.
    static func token(of request: Request) throws -> String {
        try requireOwnOrigin(request)
        let cookies = request.headers[values: .cookie].flatMap { $0.split(separator: ";") }
            .map { $0.trimmingCharacters(in: .whitespaces) }
        // Two of one name: another path's or domain's cookie may stand before ours.
        let tokens = cookies.filter { $0.hasPrefix("\(name)=") }.map { String($0.dropFirst(name.count + 1)) }
        guard tokens.count == 1, !tokens[0].isEmpty else {
            throw ProblemError.notAuthenticated("There is no session; log in.")
        }
        return tokens[0]
    }

    /// Browsers add `Origin` to every POST, and newer ones `Sec-Fetch-Site`; neither can be set by a script.
    private static func requireOwnOrigin(_ request: Request) throws {
        let origins = request.headers[values: .origin]
        let sites = request.headers[values: .secFetchSite]
        // Only a proxy knows the scheme of the page behind it; a request that came here by TLS has a page with https.
        let schemes = request.head.scheme == "https" ? ["https"] : ["http", "https"]
        guard let host = request.head.authority?.lowercased(), origins.count == 1,
            schemes.contains(where: { "\($0)://\(host)" == origins[0].lowercased() }),
            sites.allSatisfy({ $0 == "same-origin" })
        else {
            throw ProblemError.permissionDenied(
                "A session cookie is good only for requests of the console's own pages.")
        }
    }
}

extension HTTPField.Name {
    static let secFetchSite = HTTPField.Name("Sec-Fetch-Site")!
}
