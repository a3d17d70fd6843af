import Basics
import Contracts
import Foundation
import ServiceIdentity
import ServiceKit
import Synchronization

/// Who sends a request, as an authenticator has verified it.
struct Principal: Sendable, Equatable {
    enum Kind: Sendable, Equatable {
        case user(UserID, session: SessionID)
        case apiKey(APIKeyID)
        case platformOperator
    }

    /// What is the same in all requests of a principal. They have it by one reference: of each of its parts the event loops would count the
    /// copies in one place, for every request several times.
    final class Profile: Sendable, Equatable {
        let email: String?
        let name: String?
        let roles: [String]
        let permissions: [Permission]
        /// How the services behind the gateway know this principal.
        let caller: Caller

        init(email: String?, name: String?, roles: [String], permissions: [Permission], caller: Caller) {
            self.email = email
            self.name = name
            self.roles = roles
            self.permissions = permissions
            self.caller = caller
        }

        static func == (one: Profile, other: Profile) -> Bool {
            one === other
                || one.email == other.email && one.name == other.name && one.roles == other.roles
                    && one.permissions == other.permissions && one.caller == other.caller
        }
    }

    let kind: Kind
    /// nil for the platform operator, who belongs to none.
    let tenant: TenantID?
    /// The permissions, compiled: every request asks.
    let granted: PermissionBits
    private let profile: Profile

    var email: String? { profile.email }
    var name: String? { profile.name }
    var roles: [String] { profile.roles }
    var permissions: [Permission] { profile.permissions }
    var caller: Caller { profile.caller }

    init(kind: Kind, tenant: TenantID?, granted: PermissionBits, _ profile: Profile) {
        self.kind = kind
        self.tenant = tenant
        self.granted = granted
        self.profile = profile
    }

    /// - Parameter granted: nil: compiled here.
    init(
        kind: Kind, tenant: TenantID?, email: String? = nil, name: String? = nil, roles: [String] = [],
        permissions: [Permission] = [], granted: PermissionBits? = nil
    ) {
        self.init(
            kind: kind, tenant: tenant, granted: granted ?? PermissionBits(permissions),
            Profile(
                email: email, name: name, roles: roles, permissions: permissions,
                caller: Self.caller(kind, tenant, permissions)))
    }

    static let platformOperator = Principal(kind: .platformOperator, tenant: nil)

    var isPlatformOperator: Bool { kind == .platformOperator }

    private static func caller(_ kind: Kind, _ tenant: TenantID?, _ permissions: [Permission]) -> Caller {
        switch kind {
        case .platformOperator: .platformOperator
        case .user(let id, _): .user(id, tenant, permissions)
        case .apiKey(let id):
            Caller(issuer: .gateway, tenant: tenant, subject: "api-key:\(id)", permissions: permissions)
        }
    }
}

extension Caller {
    static func user(_ id: UserID, _ tenant: TenantID?, _ permissions: [Permission]) -> Caller {
        Caller(issuer: .gateway, tenant: tenant, subject: "\(id)", permissions: permissions)
    }
}

/// An authenticator's answer to a credential.
enum Verdict: Sendable {
    /// Not the kind of credential this authenticator knows; another may.
    case notMine
    case accepted(Principal)
    /// The authenticator's own kind of credential, and invalid: no other authenticator is asked.
    case denied(ProblemError)
    /// Denied, and never valid before: the client may be guessing.
    case guessed(ProblemError)
}

/// One way to prove who one is.
protocol Authenticator: Sendable {
    /// - Throws: ``ProblemError`` 503 when what must be looked up cannot be: neither accepted nor denied.
    func authenticate(_ credential: Credential) async throws -> Verdict
    /// The same for a principal who was accepted with this credential earlier and has been served since.
    ///
    /// - Parameter digest: the credential's. What is under way for long keeps no secret in memory.
    func reconfirm(_ principal: Principal, digest: [UInt8]) async throws -> Verdict
    /// As ``authenticate(_:)`` without waiting: the principal, when all that is to be known of the credential is remembered, still
    /// holds and lets it in; nil: authenticate it, which may also say why not.
    func warm(_ credential: Credential) -> Principal?
    /// Whether the credential by itself, without asking anybody, shows that it was given out here: it is no guess then.
    func isGenuine(_ credential: Credential) -> Bool
}

extension Authenticator {
    func isGenuine(_ credential: Credential) -> Bool { false }
    func warm(_ credential: Credential) -> Principal? { nil }
    /// An authenticator that says nothing else confirms nobody.
    func reconfirm(_ principal: Principal, digest: [UInt8]) async throws -> Verdict { .notMine }
}

/// Third stage: asks the authenticators in turn. A credential that no authenticator recognises is denied.
///
/// Guesses are charged to the client's address. When its allowance is spent, only credentials that were valid a while ago, or that bear our
/// signature, are checked: each unknown one would cost a look-up, and clients that share the address with a guesser are still served.
final class AuthenticateStage: Sendable {
    let authenticators: [any Authenticator]
    let limit: LimitStage
    /// When credentials were last asked about that were good, by their digests.
    private let good = Mutex(RecentEntries<[UInt8], ContinuousClock.Instant>(maximumCount: 50_000))

    private static let memory = Duration.seconds(900)

    init(authenticators: [any Authenticator], limit: LimitStage) {
        self.authenticators = authenticators
        self.limit = limit
    }

    /// - Throws: ``ProblemError`` 401, 429 for an address that has guessed too often, or 503 when it cannot be found out.
    func authenticate(_ credential: Credential, from address: ClientAddress) async throws -> Principal {
        if let principal = warm(credential) { return principal }
        let time = ContinuousClock.now
        let goodAt = good.withLock { $0.use(credential.digest) }
        if goodAt.map({ time - $0 >= Self.memory }) ?? true {
            do {
                try limit.requireGuesses(address)
            } catch {
                guard authenticators.contains(where: { $0.isGenuine(credential) }) else { throw error }
            }
        }
        for authenticator in authenticators {
            switch try await authenticator.authenticate(credential) {
            case .notMine: continue
            case .accepted(let principal):
                good.withLock { $0.insert(time, for: credential.digest) }
                return principal
            case .denied(let problem): throw problem
            case .guessed(let problem):
                limit.chargeGuess(address)
                throw problem
            }
        }
        limit.chargeGuess(address)
        throw ProblemError.notAuthenticated("This kind of credential is not supported.")
    }

    /// As ``authenticate(_:from:)`` without waiting: whose credential it is, when that is remembered and still holds; nil:
    /// authenticate it. A credential that is let in is no guess, whatever its address has guessed before.
    func warm(_ credential: Credential) -> Principal? {
        for authenticator in authenticators {
            guard let principal = authenticator.warm(credential) else { continue }
            good.withLock { $0.insert(.now, for: credential.digest) }
            return principal
        }
        return nil
    }

    /// The present state of a principal who was accepted earlier.
    ///
    /// - Throws: ``ProblemError`` 401, or 503 when it cannot be found out.
    func reconfirm(_ principal: Principal, digest: [UInt8]) async throws -> Principal {
        for authenticator in authenticators {
            switch try await authenticator.reconfirm(principal, digest: digest) {
            case .notMine: continue
            case .accepted(let principal): return principal
            case .denied(let problem), .guessed(let problem): throw problem
            }
        }
        throw ProblemError.notAuthenticated()
    }
}
