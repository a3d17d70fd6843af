import Contracts
import Crypto
import Foundation

/// Opaque secrets handed to clients: API keys, refresh tokens, one-time tokens. Only their digest is ever stored.
public enum RandomToken {
    /// - Parameters:
    ///   - prefix: says what kind of secret it is, such as `erm_ak_`, so that a leaked one is recognised.
    ///   - bytes: of randomness; 32 cannot be guessed, which is why a plain digest is enough to store it.
    public static func make(prefix: String, bytes: Int = 32) -> String {
        var generator = SystemRandomNumberGenerator()
        return prefix + Base64URL.encode((0..<bytes).map { _ in UInt8.random(in: .min ... .max, using: &generator) })
    }

    /// SHA-256 of the whole token, prefix included; what is stored and looked up.
    public static func digest(_ token: String) -> [UInt8] {
        // Without a copy of the token: every request has one.
        var token = token
        var hash = SHA256()
        token.withUTF8 { hash.update(bufferPointer: UnsafeRawBufferPointer($0)) }
        return hash.finalize().withUnsafeBytes { Array($0) }
    }

    /// Compares in a time that does not depend on where the two differ.
    public static func areEqual(_ first: some Collection<UInt8>, _ second: some Collection<UInt8>) -> Bool {
        guard first.count == second.count else { return false }
        return zip(first, second).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) } == 0
    }
}
