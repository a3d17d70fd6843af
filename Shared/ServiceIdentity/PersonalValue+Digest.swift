import Basics
public import Contracts
import Crypto

extension PersonalValue {
    /// Bytes of a salt. Always as many: bytes that went over from the value to the salt would leave the digest as it is.
    private static let saltBytes = 32

    /// The value with a salt of its own.
    public static func salted(_ value: String) -> PersonalValue {
        var generator = SystemRandomNumberGenerator()
        let salt = (0..<saltBytes).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
        return PersonalValue(value: value, salt: salt.hex)
    }

    /// What is hashed in the value's place: SHA-256 in hexadecimal over the salt's bytes and the UTF-8 of the value. nil without a salt
    /// of the right length.
    public var digest: String? {
        guard let bytes = salt.flatMap([UInt8].init(hex:)), bytes.count == Self.saltBytes else { return nil }
        return SHA256.hash(data: bytes + Array(value.utf8)).hex
    }
}
