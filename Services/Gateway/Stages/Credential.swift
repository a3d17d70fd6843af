import Contracts
import HTTPTypes
import ServiceIdentity
import ServiceKit

/// What a request shows to say who sends it; not yet believed.
struct Credential: Sendable, Equatable {
    /// The secret as sent, without its scheme.
    let token: String
    /// By which it is looked up.
    let digest: [UInt8]

    static let maximumBytes = 4096

    /// The credential in a request's headers; nil when there is none.
    ///
    /// - Throws: ``ProblemError`` 400 when there is more than one, since two readers could pick different ones; 401 for a
    ///   scheme other than Bearer.
    static func presented(in headers: HTTPFields) throws -> Credential? {
        let authorization = headers[values: .authorization]
        let apiKey = headers[values: .apiKey]
        guard authorization.count + apiKey.count <= 1 else {
            throw ProblemError.malformed("Send exactly one credential: one Authorization or one X-API-Key header.")
        }
        if let key = apiKey.first { return try Credential(checking: key) }
        guard let value = authorization.first else { return nil }
        let parts = value.utf8.split(separator: UInt8(ascii: " "), maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, Substring(parts[0]).lowercased() == "bearer" else {
            throw ProblemError.notAuthenticated("The Authorization header must be: Bearer, a blank, and a token.")
        }
        return try Credential(checking: String(Substring(parts[1])))
    }

    init(token: String) {
        self.token = token
        digest = RandomToken.digest(token)
    }

    /// Only characters that a token may have (RFC 6750 §2.1, b64token).
    private init(checking token: String) throws {
        guard (1...Self.maximumBytes).contains(token.utf8.count), Self.isToken(token) else {
            throw ProblemError.notAuthenticated("The credential is not a token.")
        }
        self.init(token: token)
    }

    private static func isToken(_ text: String) -> Bool {
        // Looked at as bytes in a row: every request has hundreds of them.
        var text = text
        return text.withUTF8 { bytes in
            bytes.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                    UInt8(ascii: "~"), UInt8(ascii: "+"), UInt8(ascii: "/"), UInt8(ascii: "="):
                    true
                default: false
                }
            }
        }
    }
}

extension HTTPField.Name {
    // Constant and valid names: the initialiser gives nil only for characters that a field name cannot have.
    static let apiKey = HTTPField.Name("X-API-Key")!
    static let forwarded = HTTPField.Name("Forwarded")!
}
