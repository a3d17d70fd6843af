import Basics
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
        guard let digits = contents.split(whereSeparator: \.isWhitespace).first, digits.utf8.count == 64,
            let digest = [UInt8](hex: digits)
        else { return nil }
        self.digest = digest
    }

    func authenticate(_ credential: Credential) async throws -> Verdict {
        guard credential.token.hasPrefix(Self.prefix) else { return .notMine }
        guard RandomToken.areEqual(RandomToken.digest(credential.token), digest) else {
            return .guessed(.notAuthenticated("The operator key is not valid.", code: .invalidCredentials))
        }
        return .accepted(.platformOperator)
    }

    /// The key is in force as long as the process runs.
    func reconfirm(_ principal: Principal, digest: [UInt8]) async throws -> Verdict {
        guard principal.isPlatformOperator, RandomToken.areEqual(digest, self.digest) else { return .notMine }
        return .accepted(.platformOperator)
    }
}
