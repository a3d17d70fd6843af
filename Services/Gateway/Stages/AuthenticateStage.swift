import Contracts
import Foundation
import ServiceIdentity
import ServiceKit

/// Who sends a request, as an authenticator has verified it.
struct Principal: Sendable, Equatable {
    enum Kind: Sendable, Equatable {
        case user(UserID, session: SessionID)
        case apiKey(APIKeyID)
        case platformOperator
    }

    let kind: Kind
    /// nil for the platform operator, who belongs to none.
    let tenant: TenantID?
    var email: String?
    var name: String?
    var roles: [String] = []
    var permissions: [Permission] = []

    static let platformOperator = Principal(kind: .platformOperator, tenant: nil)

    var isPlatformOperator: Bool { kind == .platformOperator }

    /// How the services behind the gateway know this principal.
    var caller: Caller {
        switch kind {
        case .platformOperator: .platformOperator
        case .user(let id, _): caller(subject: "\(id)")
        case .apiKey(let id): caller(subject: "api-key:\(id)")
        }
    }

    private func caller(subject: String) -> Caller {
        Caller(issuer: .gateway, tenant: tenant, subject: subject, permissions: permissions)
    }
}

/// An authenticator's answer to a credential.
enum Verdict: Sendable {
    /// Not the kind of credential this authenticator knows; another may.
    case notMine
    case accepted(Principal)
    /// Its kind of credential, and not good: nobody else is asked.
    case denied(ProblemError)
}

/// One way to prove who one is.
protocol Authenticator: Sendable {
    /// - Throws: ``ProblemError`` 503 when what must be looked up cannot be: neither accepted nor denied.
    func authenticate(_ credential: Credential) async throws -> Verdict
}

/// Third stage: asks the authenticators in turn. Nobody's kind of credential is a denied one.
struct AuthenticateStage: Sendable {
    let authenticators: [any Authenticator]

    /// - Throws: ``ProblemError`` 401, or 503 when it cannot be found out.
    func authenticate(_ credential: Credential) async throws -> Principal {
        for authenticator in authenticators {
            switch try await authenticator.authenticate(credential) {
            case .notMine: continue
            case .accepted(let principal): return principal
            case .denied(let problem): throw problem
            }
        }
        throw ProblemError.notAuthenticated("The credential is not of a kind known here.")
    }
}
