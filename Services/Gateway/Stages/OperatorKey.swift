import Contracts
import Foundation
import ServiceIdentity
import ServiceKit

/// The platform operator's key, of which the gateway knows only the digest.
struct OperatorKey: Authenticator, Equatable {
    static let prefix = "erm_op_"

    private let digest: [UInt8]

    /// - Parameter contents: the file's: SHA-256 of the key as 64 hex digits; what follows a blank is ignored, as
    ///   `sha256sum` writes it. nil when it is not that.
    init?(contents: String) {
        let digits = contents.split(whereSeparator: \.isWhitespace).first.map { Array($0.utf8) } ?? []
        let values = digits.compactMap { Character(UnicodeScalar($0)).hexDigitValue }
        guard digits.count == 64, values.count == 64 else { return nil }
        digest = stride(from: 0, to: 64, by: 2).map { UInt8(values[$0] << 4 | values[$0 + 1]) }
    }

    func authenticate(_ credential: Credential) async throws -> Verdict {
        guard credential.token.hasPrefix(Self.prefix) else { return .notMine }
        guard RandomToken.areEqual(RandomToken.digest(credential.token), digest) else {
            return .guessed(.notAuthenticated("The operator key is not valid.", code: .invalidCredentials))
        }
        return .accepted(.platformOperator)
    }
}
