import Contracts
import Crypto
import Foundation
import ServiceIdentity

/// Makes refresh tokens. The first of a family is random; each later one follows from the one before by a key that only
/// gateways have, so that a token presented twice gives the same successor on every node though none is ever stored.
struct RefreshTokens: Sendable {
    static let prefix = "erm_rt_"

    private let keys: DerivedKeys

    init(keys: KeyRing) { self.keys = DerivedKeys(keys, purpose: "erm gateway refresh tokens 1") }

    func first() -> String { RandomToken.make(prefix: Self.prefix) }

    /// The possible successors of a token: by the present key first, then by the replaced keys, with which another node may have
    /// answered a moment ago. A token without the key reveals nothing of its successor.
    func successors(of token: String) throws -> [String] {
        try keys.all().map { key in
            let code = HMAC<SHA256>.authenticationCode(for: Data(token.utf8), using: key)
            return Self.prefix + Base64URL.encode(Array(code))
        }
    }

    /// Reads keys that are new, by which there may be further successors.
    func look() { keys.look() }
}
