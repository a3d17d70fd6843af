/// Why a key, a key set or an assertion is of no use.
///
/// `description` is safe to log; what a client is told is decided where the error is mapped (always 401, without the reason).
public struct IdentityError: Error, Sendable, CustomStringConvertible {
    public struct Code: Sendable, Hashable {
        private let name: String
        private init(_ name: String) { self.name = name }

        /// A private key file that holds no Ed25519 key.
        public static let invalidKey = Code("invalidKey")
        /// A JWKS that is not one, or holds a key of another kind, a key without an issuer, or one key id twice.
        public static let invalidKeySet = Code("invalidKeySet")
        /// Not an assertion at all.
        public static let malformed = Code("malformed")
        /// An algorithm other than EdDSA was named.
        public static let wrongAlgorithm = Code("wrongAlgorithm")
        /// The key is unknown, or belongs to another issuer than the one claimed.
        public static let unknownKey = Code("unknownKey")
        public static let badSignature = Code("badSignature")
        public static let wrongAudience = Code("wrongAudience")
        /// A genuine assertion of a service that may not call here.
        public static let issuerNotAccepted = Code("issuerNotAccepted")
        public static let expired = Code("expired")
        public static let notYetValid = Code("notYetValid")
        /// Valid for longer than an assertion may be.
        public static let lifetimeTooLong = Code("lifetimeTooLong")
        /// Claims that only the gateway may make.
        public static let claimsNotAllowed = Code("claimsNotAllowed")
    }

    public let code: Code
    public let description: String

    init(_ code: Code, _ description: String) {
        self.code = code
        self.description = description
    }
}
