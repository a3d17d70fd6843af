import Basics
import Contracts
import Crypto
import Foundation
import HTTPClient
import ServiceKit

/// Hands messages to the operator's own mailer, by HTTP.
///
/// Each is a POST of an `OutgoingMessage` in JSON, with `X-ERM-Signature: t=<seconds since 1970>,v1=<hex>`, where v1 is the
/// HMAC-SHA256, under the shared secret, of `<t>.<body>`. Any 2xx acknowledges it.
struct Webhook: Sendable {
    let url: String
    let secret: String
    let client: HTTPClient

    /// - Throws: `ConfigurationError` for something else than an absolute http or https URL.
    init(url: String, secret: String, client: HTTPClient) throws {
        let parts = URLComponents(string: url)
        guard let parts, parts.scheme == "http" || parts.scheme == "https", parts.host?.isEmpty == false,
            parts.user == nil, parts.fragment == nil
        else { throw ConfigurationError(problems: ["delivery.webhook-url: must be an absolute http or https URL"]) }
        guard secret.utf8.count >= 16 else {
            throw ConfigurationError(problems: ["delivery.webhook-secret: must be at least 16 bytes long"])
        }
        self.url = url
        self.secret = secret
        self.client = client
    }

    /// - Throws: `HTTPClientError`; ``Refused``.
    func send(_ message: OutgoingMessage, at moment: Date = Date()) async throws {
        let body = try WireJSON.encode(message)
        let time = Int(moment.timeIntervalSince1970)
        let (response, _) = try await client.execute(
            HTTPClientRequest(
                method: "POST", url: url,
                headers: [
                    ("Content-Type", "application/json"),
                    ("X-ERM-Signature", "t=\(time),v1=\(Self.signature(of: body, at: time, secret: secret))"),
                ], body: .bytes(body), deadline: .seconds(15)),
            collectingUpTo: 65_536)
        guard (200..<300).contains(response.status) else { throw Refused(status: response.status) }
    }

    static func signature(of body: [UInt8], at time: Int, secret: String) -> String {
        HMAC<SHA256>.authenticationCode(
            for: Array("\(time).".utf8) + body, using: SymmetricKey(data: Array(secret.utf8))
        ).hex
    }

    /// The mailer did not take the message.
    struct Refused: Error {
        let status: Int
    }
}
