import Basics
import Contracts
import Crypto
public import Foundation
public import HTTPClient

/// Hands messages to the operator's own receiver, by HTTP.
///
/// Each is a POST of an `OutgoingMessage` or an `OutgoingAlarm` in JSON, with `X-ERM-Signature: t=<seconds since 1970>,v1=<hex>`, where v1 is the
/// HMAC-SHA256, under the shared secret, of `<t>.<body>`. Any 2xx acknowledges it.
public struct Webhook: Sendable {
    private let url: String
    private let secret: String
    private let client: HTTPClient

    /// - Throws: `ConfigurationError` for something else than an absolute http or https URL.
    public init(url: String, secret: String, client: HTTPClient) throws {
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
    public func send(_ message: some Encodable & Sendable, at moment: Date = Date()) async throws {
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

    /// The receiver did not take the message.
    public struct Refused: Error {
        public let status: Int
    }
}
