import Contracts
import Crypto
import Foundation
import HTTPTypes
import ServiceIdentity

/// Proof that an account's owner has logged in from this device before: a signed cookie. It opens nothing; it only spares the
/// device the delays that strangers' guesses cause.
struct DeviceToken: Sendable, Equatable {
    /// What its own failures are counted by.
    let id: String
}

/// Makes and reads the cookies of known devices.
struct DeviceTokens: Sendable {
    private static let prefix = "erm_device_"
    private static let idBytes = 16

    private let keys: DerivedKeys
    let lifetime: TimeInterval

    init(keys: KeyRing, lifetime: TimeInterval = 180 * 86_400) {
        self.keys = DerivedKeys(keys, purpose: "erm gateway device tokens 1")
        self.lifetime = lifetime
    }

    /// The cookie for a device from which the account's owner has just proved who they are.
    ///
    /// One account has one cookie, so that several people may share a browser.
    func cookie(for account: [UInt8], isSecure: Bool, now: Date) throws -> String {
        var generator = SystemRandomNumberGenerator()
        let id = (0..<Self.idBytes).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
        let content = id + Self.bytes(UInt64(max(0, now.timeIntervalSince1970)))
        let value = Base64URL.encode(content + Self.code(content, account, try keys.current()))
        return "\(Self.name(account))=\(value); Path=/api/v1/auth; Max-Age=\(Int(lifetime)); HttpOnly; SameSite=Strict"
            + (isSecure ? "; Secure" : "")
    }

    /// The device that a request comes from, if the account's owner has logged in from it.
    func device(for account: [UInt8], in headers: HTTPFields, now: Date) -> DeviceToken? {
        let name = Self.name(account)
        for pair in headers[values: .cookie].flatMap({ $0.split(separator: ";") }) {
            let sides = pair.split(separator: "=", maxSplits: 1).map { $0.trimmingCharacters(in: .whitespaces) }
            guard sides.count == 2, sides[0] == name, let bytes = Base64URL.decode(sides[1]),
                bytes.count == Self.idBytes + 8 + 32
            else { continue }
            let content = Array(bytes.prefix(Self.idBytes + 8))
            let code = bytes.suffix(32)
            let key = keys.first { RandomToken.areEqual(Self.code(content, account, $0), code) ? $0 : nil }
            guard key != nil else { continue }
            let madeAt = content.suffix(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
            guard abs(now.timeIntervalSince1970 - TimeInterval(madeAt)) < lifetime else { continue }
            return DeviceToken(id: Base64URL.encode(Array(content.prefix(Self.idBytes))))
        }
        return nil
    }

    private static func name(_ account: [UInt8]) -> String {
        prefix + Base64URL.encode(Array(account.prefix(6)))
    }

    private static func code(_ content: [UInt8], _ account: [UInt8], _ key: SymmetricKey) -> [UInt8] {
        Array(HMAC<SHA256>.authenticationCode(for: Data(content + account), using: key))
    }

    private static func bytes(_ number: UInt64) -> [UInt8] {
        (0..<8).map { UInt8(truncatingIfNeeded: number >> (56 - 8 * $0)) }
    }
}

/// A pseudonym by which the log names an account: equal for equal accounts. Without the gateway's key, trying addresses does not
/// reveal the account.
struct Pseudonyms: Sendable {
    private let keys: DerivedKeys

    init(keys: KeyRing) { self.keys = DerivedKeys(keys, purpose: "erm gateway log pseudonyms 1") }

    func name(of account: [UInt8]) -> String? {
        guard let key = try? keys.current() else { return nil }
        let code = Array(HMAC<SHA256>.authenticationCode(for: Data(account), using: key))
        return Base64URL.encode(Array(code.prefix(12)))
    }
}
